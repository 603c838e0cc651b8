import { describe, expect, it } from 'vitest';
import { syncing, waitingFor } from '../../../src/cli/waiting-format.ts';
import { makeAnswer, makeHub, makeRepoPeer, makeRepoStatus } from '../../helpers/status-answer.ts';

const LOOK = { width: 80, isUnicode: true };
const MOVING = { kind: 'offer', direction: 'up', since: 0, bytes: 5e6, total: 1e7, rate: 1e6, leftMs: 5000 } as const;

describe('waitingFor', () => {
  it('names what is waited for', () => {
    expect([waitingFor('GET', '/repos?peer=laptop'), waitingFor('POST', '/login'), waitingFor('POST', '/whatever')]).toEqual([
      'asking laptop what it shares',
      'signing in',
      'waiting for the agent',
    ]);
  });
});

describe('syncing', () => {
  it('says what moves, else who is waited for', () => {
    const repo = (given: Parameters<typeof makeRepoStatus>[0]): ReturnType<typeof makeAnswer> => makeAnswer({ repos: [makeRepoStatus(given)] });
    expect(syncing(repo({ peers: [makeRepoPeer({ moving: [MOVING] })] }), LOOK)).toMatch(/^sending notes to desktop {2}█+░+ {2}50 %.* 5 s left$/);
    expect(syncing(repo({ peers: [makeRepoPeer({ state: 'sending 2' })] }), LOOK)).toBe('desktop takes in notes');
    expect(syncing(repo({ hubs: [makeHub({ isBusy: true })] }), LOOK)).toBe('asking origin for notes');
    expect(syncing(repo({}), LOOK)).toBe('comparing with the other devices');
    expect(syncing(makeAnswer({ account: { ...makeAnswer().account, state: 'connecting' } }), LOOK)).toBe('signing in');
  });
});
