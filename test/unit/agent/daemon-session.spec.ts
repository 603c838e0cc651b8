// What a program that drives a repository is told, and what it can hold; with a real repository and no network.

import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonSession } from '../../../src/agent/daemon-session.ts';
import { Events } from '../../../src/agent/events.ts';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import type { AgentParts } from '../../../src/agent/parts.ts';
import { Pauses } from '../../../src/agent/pauses.ts';
import type { DaemonLine } from '../../../src/control/remotedaemon-machine.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { git, makeFolder } from '../../helpers/repo.ts';

const DESKTOP = makePeer('desktop');
const PHONE = makePeer('phone');

let repo: AgentRepo;
let events: Events;
let exchanges: Exchanges;
let pauses: Pauses;
let online: Set<string>;
let session: DaemonSession;
let lines: AsyncGenerator<DaemonLine, void>;
let ending: AbortController;

beforeEach(async () => {
  repo = await openAgentRepo();
  git(repo.repo.dir, 'remote', 'add', 'desk', 'xmpp::desktop/notes');
  git(repo.repo.dir, 'remote', 'add', 'origin', 'https://example.org/notes.git');
  events = new Events(realClock, silentLog);
  exchanges = new Exchanges(events);
  pauses = await Pauses.open(join(makeFolder(), 'pauses.json'), { clock: realClock, events });
  online = new Set([DESKTOP.device]);
  const peering = {
    identity: { name: 'laptop' },
    repoSet: { byId: () => undefined },
    contacts: { isOnline: (device: string) => online.has(device) },
  };
  const parts = { peers: { list: () => [DESKTOP, PHONE] }, peering, pauses, exchanges, events, runGit: repo.runGit } as unknown as AgentParts;
  session = new DaemonSession('s', repo.shared(), parts);
  ending = new AbortController();
  lines = session.lines(ending.signal);
});

afterEach(() => ending.abort());

async function next(): Promise<DaemonLine | undefined> {
  const { value } = await lines.next();
  return typeof value === 'object' ? value : undefined;
}

const remote = (isConnected: boolean, isSyncing = false): unknown => ({
  type: 'remotes',
  session: 's',
  self: 'xmpp::laptop/notes',
  gitDir: repo.repository.gitDir,
  remotes: [{ name: 'desk', uri: 'xmpp::desktop/notes', isConnected, isSyncing }],
});

describe('a session', () => {
  it('begins with the remotes that are kept in sync, and tells each change once', async () => {
    expect(await next()).toEqual(remote(true));
    online.clear();
    events.emit({ type: 'disconnected', words: 'gone', peer: 'desktop' });
    expect(await next()).toEqual(remote(false));
    events.emit({ type: 'disconnected', words: 'gone', peer: 'phone' });
    online.add(DESKTOP.device);
    events.emit({ type: 'connected', words: 'there', peer: 'desktop' });
    expect(await next()).toEqual(remote(true));
  });

  it('tells what moves by the name of the remote, of this repository alone', async () => {
    await next();
    exchanges.begin({ ...repo.shared(), name: 'songs' }, 'desktop').done(true);
    const one = exchanges.begin(repo.shared(), 'desktop');
    one.done(false);
    expect([await next(), await next()]).toEqual([{ type: 'syncing', remote: 'desk' }, { type: 'done-syncing', remote: 'desk', isGood: false }]);
  });

  it('warns of what fails: once for the same words, and of no peer that is no remote here', async () => {
    await next();
    events.emit({ type: 'contact-failed', words: 'phone: no answer', peer: 'phone' });
    events.emit({ type: 'offer-failed', words: 'the disk is full', peer: 'desktop', repo: 'notes' });
    events.emit({ type: 'offer-failed', words: 'the disk is full', peer: 'desktop', repo: 'notes' });
    events.emit({ type: 'look-failed', words: 'no look', repo: 'notes' });
    events.emit({ type: 'look-failed', words: 'of another', repo: 'songs' });
    events.emit({ type: 'not-online', words: 'no server' });
    expect([await next(), await next(), await next()]).toEqual([
      { type: 'warning', remote: 'desk', words: 'the disk is full' },
      { type: 'warning', words: 'no look' },
      { type: 'warning', words: 'no server' },
    ]);
  });

  it('holds its repository until it lets go', async () => {
    await next();
    await session.obey({ type: 'LOSTNET' });
    expect(pauses.of(session.shared.id)).toMatchObject({ by: 'program', words: expect.stringContaining('network') });
    expect(await next()).toEqual(remote(false));
    await session.obey({ type: 'PAUSE' });
    expect(pauses.of(session.shared.id)?.words).toBe('paused by the program that drives it');
    await session.obey({ type: 'RESUME' });
    expect(pauses.of(session.shared.id)).toBeUndefined();
    expect(await next()).toEqual(remote(true));
  });

  it('lets go when it ends, also of what is asked in that moment', async () => {
    await next();
    await session.obey({ type: 'PAUSE' });
    ending.abort();
    const late = session.obey({ type: 'PAUSE' });
    await lines.return();
    await late;
    expect(pauses.of(session.shared.id)).toBeUndefined();
    await session.obey({ type: 'PAUSE' });
    expect(pauses.of(session.shared.id)).toBeUndefined();
  });

  it('is cut off when it is not read, after a thousand lines', async () => {
    await next();
    for (let count = 0; count < 3000; count += 1) events.emit({ type: 'look-failed', words: String(count), repo: 'notes' });
    let read = 0;
    for await (const line of lines) {
      expect(line.type).toBe('warning');
      read += 1;
    }
    expect(read).toBe(1000);
  });
});
