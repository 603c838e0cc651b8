// A session of remotedaemon's protocol, as a conversation.

import { beforeEach, describe, expect, it } from 'vitest';
import { RemoteDaemonMachine } from '../../../src/control/remotedaemon-machine.ts';
import type { DaemonFact, DaemonLine, RemoteState } from '../../../src/control/remotedaemon-machine.ts';

const LAPTOP = 'xmpp::laptop/notes';
const HUB = 'ssh://example.org/notes.git';

let machine: RemoteDaemonMachine;

/** What comes of it: lines as they are, questions to the agent after `>`. */
function after(fact: DaemonFact): string[] {
  return machine.receive(fact).map((each) => (each.type === 'say' ? each.line : each.type === 'ask' ? `> ${each.message}` : 'end'));
}

const say = (line: string | undefined): string[] => after({ type: 'line', line });
const tell = (told: DaemonLine): string[] => after({ type: 'told', told });
const remote = (name: string, uri: string, more: Partial<RemoteState> = {}): RemoteState => ({ name, uri, isConnected: false, isSyncing: false, ...more });
const remotes = (...all: RemoteState[]): string[] => tell({ type: 'remotes', session: '1', self: 'xmpp::desktop/notes', gitDir: '/x', remotes: all });

beforeEach(() => {
  machine = new RemoteDaemonMachine('file:///x');
});

describe('a session', () => {
  it('tells who is there, what moves and how that ended', () => {
    expect(remotes(remote('laptop', LAPTOP), remote('hub', HUB, { isConnected: true }))).toEqual([`CONNECTED ${HUB}`]);
    expect(remotes(remote('laptop', LAPTOP, { isConnected: true }), remote('hub', HUB, { isConnected: true }))).toEqual([`CONNECTED ${LAPTOP}`]);
    expect(tell({ type: 'syncing', remote: 'laptop' })).toEqual([`SYNCING ${LAPTOP}`]);
    expect(tell({ type: 'done-syncing', remote: 'laptop', isGood: true })).toEqual([`DONESYNCING ${LAPTOP} 1`]);
    expect(tell({ type: 'warning', remote: 'hub', words: 'full' })).toEqual([`WARNING ${HUB} full`]);
    expect(tell({ type: 'warning', words: 'no look' })).toEqual(['WARNING xmpp::desktop/notes no look']);
  });

  it('asks the agent what the program says, in its words', () => {
    remotes();
    for (const line of ['PAUSE', 'RESUME', 'LOSTNET', 'RELOAD', 'CHANGED refs/heads/main']) expect(say(line)).toEqual([`> ${line}`]);
  });

  it.each(['', 'pause', 'PAUSE now', 'CHANGED', undefined])('warns of %j, and changes nothing', (line) => {
    remotes(remote('laptop', LAPTOP, { isConnected: true }));
    expect(say(line)).toEqual([expect.stringMatching(/^WARNING xmpp::desktop\/notes /)]);
    expect(say('STOP')).toEqual(['end']);
  });

  it('ends by STOP and by the end of what it reads, first saying that what runs is not done', () => {
    remotes(remote('laptop', LAPTOP, { isConnected: true, isSyncing: true }), remote('hub', HUB));
    expect(say('STOP')).toEqual([`DONESYNCING ${LAPTOP} 0`, 'end']);
    expect([say('PAUSE'), tell({ type: 'done-syncing', remote: 'laptop', isGood: true }), after({ type: 'eof' })]).toEqual([[], [], []]);
    machine = new RemoteDaemonMachine('file:///x');
    expect(after({ type: 'eof' })).toEqual(['end']);
  });

  it('tells of each remote in pairs, though the agent says it twice', () => {
    remotes(remote('laptop', LAPTOP, { isConnected: true, isSyncing: true }));
    expect(tell({ type: 'syncing', remote: 'laptop' })).toEqual([]);
    expect(tell({ type: 'done-syncing', remote: 'laptop', isGood: false })).toEqual([`DONESYNCING ${LAPTOP} 0`]);
    expect(tell({ type: 'done-syncing', remote: 'laptop', isGood: true })).toEqual([]);
    expect(tell({ type: 'syncing', remote: 'unheard-of' })).toEqual([]);
  });

  it('lets go of a remote that vanished, or has another URL, in the middle of something', () => {
    remotes(remote('laptop', LAPTOP, { isConnected: true, isSyncing: true }));
    const other = `${LAPTOP}-2`;
    expect(remotes(remote('laptop', other, { isConnected: true }))).toEqual([`DONESYNCING ${LAPTOP} 0`, `DISCONNECTED ${LAPTOP}`, `CONNECTED ${other}`]);
    expect(remotes()).toEqual([`DISCONNECTED ${other}`]);
  });

  it('tells only of the remotes that were named, by name or URL, and of a name that is none', () => {
    machine = new RemoteDaemonMachine('file:///x', ['laptop', HUB, 'tablet']);
    const all = [remote('laptop', LAPTOP, { isConnected: true }), remote('hub', HUB, { isConnected: true }), remote('phone', 'xmpp::phone/notes', { isConnected: true })];
    expect(remotes(...all)).toEqual([`CONNECTED ${LAPTOP}`, `CONNECTED ${HUB}`, 'WARNING xmpp::desktop/notes there is no remote tablet that is kept in sync']);
    expect(tell({ type: 'syncing', remote: 'phone' })).toEqual([]);
    expect(remotes(...all)).toEqual([]);
  });

  it('says once that the agent is gone, and asks the next one to hold what is held', () => {
    remotes(remote('laptop', LAPTOP, { isConnected: true }));
    tell({ type: 'syncing', remote: 'laptop' });
    expect(after({ type: 'lost', words: 'the agent has stopped' })).toEqual([`DONESYNCING ${LAPTOP} 0`, `DISCONNECTED ${LAPTOP}`, 'WARNING xmpp::desktop/notes the agent has stopped']);
    expect([say('PAUSE'), say('LOSTNET'), say('CHANGED refs/heads/main')]).toEqual([[], [], []]);
    expect(remotes(remote('laptop', LAPTOP, { isConnected: true }))).toEqual(['> LOSTNET', `CONNECTED ${LAPTOP}`]);
    after({ type: 'lost', words: 'again' });
    say('RESUME');
    expect(remotes(remote('laptop', LAPTOP))).toEqual([]);
  });

  it('tells a program that begins to listen how it stands', () => {
    remotes(remote('laptop', LAPTOP, { isConnected: true, isSyncing: true }), remote('hub', HUB));
    expect(machine.standing).toEqual([`CONNECTED ${LAPTOP}`, `SYNCING ${LAPTOP}`]);
  });

  it('passes on why a question failed', () => {
    expect(after({ type: 'failed', words: 'RELOAD: no config' })).toEqual(['WARNING file:///x RELOAD: no config']);
  });
});
