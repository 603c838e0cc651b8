import { describe, expect, it } from 'vitest';
import { plain } from '../../../src/cli/cells-format.ts';
import { fitRows, frameRows, lookAgainMs } from '../../../src/cli/watch-format.ts';
import { makeAnswer, makeHub, makeRepoPeer, makeRepoStatus } from '../../helpers/status-answer.ts';

const NOW = new Date(2024, 4, 2, 14, 30).getTime();
const LOOK = { width: 80, isUnicode: true, now: NOW, homeDir: '' };
const GONE = { since: NOW - 60_000, message: 'no agent runs for this home', remedy: 'git xmpp daemon start' };
const MOVING = { kind: 'offer', direction: 'up', since: NOW, bytes: 5, rate: 1 } as const;

describe('frameRows', () => {
  it('have the time, and the status', () => {
    const rows = frameRows({ answer: makeAnswer() }, LOOK).map(plain);
    expect(rows.slice(0, 2)).toEqual(['git xmpp status  14:30:00  (Ctrl-C ends)', 'account  romeo@example.org  online']);
  });

  it('say first that the agent is away, and show what was known as old', () => {
    const rows = frameRows({ answer: makeAnswer(), gone: GONE }, LOOK);
    expect(rows.slice(1, 4).map(plain)).toEqual(['since 14:29: no agent runs for this home; git xmpp daemon start', 'as it was then:', 'account  romeo@example.org  online']);
    expect(rows.slice(3).flat().every(({ style }) => style === 'faint')).toBe(true);
  });
});

describe('lookAgainMs', () => {
  it('is short while something moves, and long while nothing does', () => {
    const moving = makeAnswer({ repos: [makeRepoStatus({ peers: [makeRepoPeer({ moving: [MOVING] })] })] });
    const busy = makeAnswer({ repos: [makeRepoStatus({ hubs: [makeHub({ isBusy: true })] })] });
    expect([moving, busy, makeAnswer()].map((answer) => lookAgainMs({ answer }, 0))).toEqual([500, 500, 5000]);
    expect(lookAgainMs({ answer: makeAnswer(), gone: GONE }, 0)).toBe(1000);
  });

  it('leaves an agent that answers slowly in peace', () => {
    expect(lookAgainMs({ answer: makeAnswer() }, 2000)).toBe(20_000);
  });
});

describe('fitRows', () => {
  it('shows as much as there is room for, and how much more there is', () => {
    const rows = Array.from({ length: 10 }, (_none, index) => [{ text: String(index) }]);
    expect(fitRows(rows, 4).map(plain)).toEqual(['0', '1', '2', '… 7 more lines']);
    expect(fitRows(rows, 10)).toBe(rows);
  });
});
