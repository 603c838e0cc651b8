// A command that meets an agent of another version: what it asks, and what the person is told.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../../src/lib/errors.ts';
import { meetAgent } from '../../../src/cli/version.ts';
import type { ControlClient } from '../../../src/control/client.ts';

let said: string;
let restarts: number;

beforeEach(() => {
  said = '';
  restarts = 0;
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Meets an agent that answers each question as told, the last answer again and again. */
function meet(answers: Readonly<Record<string, readonly unknown[]>>): Promise<void> {
  const left = new Map(Object.entries(answers).map(([question, list]) => [question, [...list]]));
  const client: Pick<ControlClient, 'request'> = {
    request: async (method, path) => {
      const list = left.get(`${method} ${path}`) ?? [new Fault('wrong-use', `the agent knows no "${method} ${path}"`)];
      const answer = list.length > 1 ? list.shift() : list[0];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return meetAgent(client as ControlClient, {
    own: '2.0.0',
    restart: async () => {
      restarts += 1;
    },
  });
}

const ABSENT = new Fault('agent', 'no agent runs', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) });

describe('a command and an agent', () => {
  it('of one version have nothing to say', async () => {
    await meet({ 'GET /version': [{ version: '2.0.0', program: '/p' }] });
    expect([said, restarts]).toEqual(['', 0]);
  });

  it('whose program was replaced: it goes over, and comes back by itself', async () => {
    await meet({ 'GET /version': [{ version: '1.0.0' }, { version: '1.0.0' }, { version: '2.0.0' }], 'POST /upgrade': [{ upgrade: 'now' }] });
    expect([said, restarts]).toEqual(['the agent goes over to version 2.0.0\n', 0]);
  });

  it('whose program was replaced, and that has gone: it is started', async () => {
    await meet({ 'GET /version': [{ version: '1.0.0' }, ABSENT], 'POST /upgrade': [{ upgrade: 'now' }] });
    expect(restarts).toBe(1);
  });

  it('that has something under way goes over later', async () => {
    await meet({ 'GET /version': [{ version: '1.0.0' }], 'POST /upgrade': [{ upgrade: 'busy' }] });
    expect(said).toBe('the agent is still version 1.0.0: it goes over to 2.0.0 as soon as nothing is moving\n');
  });

  it('of two installations: which is which, and what to do', async () => {
    await meet({ 'GET /version': [{ version: '1.0.0', program: '/other/agent.mjs' }], 'POST /upgrade': [{ upgrade: 'same' }] });
    expect(said).toBe('the agent is version 1.0.0 (/other/agent.mjs), this command is 2.0.0; "git xmpp daemon stop" ends it, and the next command starts its own\n');
    expect(restarts).toBe(0);
  });

  it('of before this question was known', async () => {
    await meet({});
    expect(said).toMatch(/^the agent is another version, this command is 2\.0\.0; /);
  });

  it('that does not run is told as such', async () => {
    await expect(meet({ 'GET /version': [ABSENT] })).rejects.toBe(ABSENT);
  });
});
