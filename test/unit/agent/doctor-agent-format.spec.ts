import { describe, expect, it } from 'vitest';
import { judgeAgent, judgePeer, judgeRepository } from '../../../src/agent/doctor-agent-format.ts';

const SELF = { device: 'd', name: 'laptop', fingerprint: 'f', jid: 'romeo@localhost' };
const AGENT = { type: 'agent', version: '1.0.0', pid: 7, repositories: 0, peers: 0 } as const;
const FAULT = { code: 'conflict', message: 'another program signed in', remedy: 'run one' } as const;
const PEER = { type: 'peer', petname: 'desktop', jid: 'romeo@localhost' } as const;

describe('judgeAgent', () => {
  it.each([
    [{ ...SELF, state: 'online', address: 'romeo@localhost/x' } as const, 'ok', /online as romeo@localhost\/x/],
    [{ ...SELF, state: 'none' } as const, 'ok', /with no account/],
    [{ ...SELF, state: 'connecting' } as const, 'warn', /still signing in/],
    [{ ...SELF, state: 'stopped', fault: FAULT } as const, 'broken', /stopped: another program signed in$/],
    [{ ...SELF, state: 'offline', fault: FAULT, retryInMs: 1500 } as const, 'broken', /next try in 2 s/],
    [{ ...SELF, state: 'paused', fault: { code: 'paused', message: 'everything is paused' } } as const, 'warn', /and everything is paused$/],
  ])('of %j says %s', (account, state, words) => {
    expect(judgeAgent({ ...AGENT, account }, '1.0.0', false)).toMatchObject({ state, words: expect.stringMatching(words) });
  });

  it('blames it for nothing that the way to the server explains', () => {
    expect(judgeAgent({ ...AGENT, account: { ...SELF, state: 'offline', fault: FAULT } }, '1.0.0', true).state).toBe('warn');
  });

  it('names both versions where they differ', () => {
    expect(judgeAgent({ ...AGENT, account: { ...SELF, state: 'online' } }, '2.0.0', false)).toMatchObject({ state: 'warn', words: expect.stringMatching(/version 1\.0\.0.*version 2\.0\.0/) });
  });
});

describe('judgeRepository', () => {
  it('tells what does not run, and what is not watched', () => {
    const known = { type: 'repository', name: 'notes', path: '/n' } as const;
    expect(judgeRepository({ ...known, problem: { code: 'not-a-repository', message: '/n is gone' } })).toMatchObject({ state: 'broken', words: 'notes: /n is gone' });
    expect(judgeRepository({ ...known, unwatched: 'the limit is reached' })).toMatchObject({ state: 'warn', code: 'watch-limit' });
    expect(judgeRepository(known).state).toBe('ok');
  });
});

describe('judgePeer', () => {
  const way = { kind: 'in-band', addressClass: 'server', srttMs: 3, up: 0, down: 0, sent: 1, received: 1, again: 0, changes: 0, lanes: 0, inLanes: 0 } as const;

  it('tells round trip, way, and why there is no better one', () => {
    expect(judgePeer({ ...PEER, roundTripMs: 4, carrier: { ...way, noBetter: 'the proxy is down' } }, true)).toMatchObject({
      state: 'ok',
      words: 'desktop (romeo@localhost) answers in 4 ms, in-band (server); no better way: the proxy is down',
    });
  });

  it('takes one that is off for a warning, and anything else for broken', () => {
    expect(judgePeer({ ...PEER, fault: { code: 'peer-offline', message: 'desktop is offline' } }, true)).toMatchObject({ state: 'warn', words: 'desktop is offline' });
    expect(judgePeer({ ...PEER, fault: { code: 'not-paired', message: 'it refuses' } }, true)).toMatchObject({ state: 'broken', words: 'desktop: it refuses' });
  });

  it('does not count what cannot be known while the agent is off', () => {
    expect(judgePeer({ ...PEER, fault: { code: 'not-connected', message: 'this device is not online' } }, false).state).toBe('not-tried');
  });
});
