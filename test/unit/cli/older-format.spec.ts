import { describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../../src/agent/answers.ts';
import { plain } from '../../../src/cli/cells-format.ts';
import { completeStatus } from '../../../src/cli/older-format.ts';
import { formatStatus } from '../../../src/cli/status-format.ts';
import { makeAnswer } from '../../helpers/status-answer.ts';

describe('completeStatus', () => {
  it('makes the answer of an older agent one that can be shown', () => {
    const peer = { peer: 'desktop', device: 'e', isOnline: true, state: 'in sync', branches: [], waiting: [] };
    const older = { ...makeAnswer(), repos: [{ name: 'notes', id: 'i', path: '/notes', peers: [peer], hubs: [{ name: 'usb', mode: 'both', state: 'in sync', waiting: [] }] }] } as unknown as StatusAnswer;
    const rows = formatStatus(completeStatus(older), { width: 80, isUnicode: true, now: 0, homeDir: '' }).map(plain);
    expect(rows.slice(-2)).toEqual(['  desktop: in sync  online', '  hub usb: in sync']);
  });

  it('changes nothing of an answer that has everything', () => {
    const answer = makeAnswer();
    expect(completeStatus(answer)).toEqual({ ...answer, repos: answer.repos.map((repo) => ({ ...repo, hubs: [] })) });
  });
});
