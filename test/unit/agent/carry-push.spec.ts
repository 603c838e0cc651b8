import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { carryPush } from '../../../src/agent/carry-push.ts';
import type { RepoContext } from '../../../src/agent/context.ts';
import { Fault } from '../../../src/lib/errors.ts';
import type { ServiceStream } from '../../../src/link/services.ts';

describe('carryPush', () => {
  it('ends the stream of a push for which git cannot be started, so that the other side does not wait for it', async () => {
    const stream = new PassThrough();
    const service = { stream, upload: stream, download: stream, end: new Promise(() => undefined), accepted: Promise.resolve() } as unknown as ServiceStream;
    const startGit = (): never => {
      throw new Fault('too-many-files', 'git could not be started: too many files are open');
    };
    const context = { startGit, repository: { path: '/nowhere' } } as unknown as RepoContext;
    const pushing = carryPush(context, service, { args: [], config: {}, place: { dir: '/nowhere', env: {} } }, () => undefined);
    await expect(pushing).rejects.toMatchObject({ code: 'too-many-files' });
    expect(stream.destroyed).toBe(true);
  });
});
