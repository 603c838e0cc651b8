import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/agent/admission.ts';
import type { RepoContext } from '../../../src/agent/context.ts';
import { startAdmitted } from '../../../src/agent/serve-git.ts';
import { Fault } from '../../../src/lib/errors.ts';

const full = (): never => {
  throw new Fault('too-many-files', 'git could not be started: too many files are open');
};

describe('startAdmitted', () => {
  it.each([
    ['written down', () => Promise.resolve()],
    ['not even that', () => Promise.reject(new Error('no space left on device'))],
  ])('lets the next push of a device in where git cannot be started for this one, %s', async (_what, writeDown) => {
    let turns = 0;
    const end = (): Promise<void> => {
      turns += 1;
      return writeDown();
    };
    const admission = new Admission({ maxBytes: 1000, isBounded: true, take: () => undefined, end });
    const context = { startGit: full, repository: { path: '/nowhere' } } as unknown as RepoContext;
    await expect(startAdmitted(context, admission, { args: [], config: {}, env: {} })).rejects.toMatchObject({ code: 'too-many-files' });
    expect(turns).toBe(1);
  });
});
