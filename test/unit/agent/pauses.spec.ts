// What is paused, and until when: kept, told, and over by itself.

import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { Pauses } from '../../../src/agent/pauses.ts';
import { parseRepoId } from '../../../src/lib/names.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { settle, VirtualClock } from '../../helpers/virtual-clock.ts';

const NOTES = { id: parseRepoId('11111111-1111-4111-8111-111111111111'), name: 'notes', path: '/home/anna/notes' };
const SONGS = { id: parseRepoId('22222222-2222-4222-8222-222222222222'), name: 'songs', path: '/home/anna/songs' };
/** Half past two in the afternoon, wherever this runs. */
const AT = new Date(2026, 10, 25, 14, 30).getTime();

let path: string;
let clock: VirtualClock;
/** By how much the wall clock is ahead of the timers. */
let slept: number;
let events: Omit<AgentEvent, 'id' | 'at'>[];
let changes: number;

async function open(): Promise<Pauses> {
  const sleepy = { now: () => clock.now() + slept, setTimer: (ms: number, fire: () => void) => clock.setTimer(ms, fire) };
  const pauses = await Pauses.open(path, { clock: sleepy, events: { emit: (event) => events.push(event) } });
  pauses.find = (id) => [NOTES, SONGS].find((each) => each.id === id);
  pauses.onChange = () => {
    changes += 1;
    return Promise.resolve();
  };
  return pauses;
}

beforeEach(() => {
  path = join(makeFolder(), 'pauses.json');
  clock = new VirtualClock(AT - 2 * 3_600_000);
  slept = 0;
  events = [];
  changes = 0;
});

describe('a pause', () => {
  it('of one repository leaves the others be, and says until when', async () => {
    const pauses = await open();
    expect(await pauses.pause(NOTES, 2 * 3_600_000)).toEqual({ by: 'person', words: 'paused until 14:30', until: AT });
    expect(pauses.of(NOTES.id)?.words).toBe('paused until 14:30');
    expect(pauses.of(SONGS.id)).toBeUndefined();
    expect(pauses.all).toBeUndefined();
    expect(events).toMatchObject([{ type: 'paused', repo: 'notes', words: 'paused until 14:30' }]);
    expect(changes).toBe(1);
  });

  it('of everything holds for each repository, and its fault names the command that ends it', async () => {
    const pauses = await open();
    await pauses.pause(undefined, undefined);
    expect(pauses.fault(SONGS.id)).toMatchObject({ code: 'paused', message: 'git-xmpp is paused', remedy: 'git xmpp resume' });
    expect(() => pauses.requireRunning()).toThrow(expect.objectContaining({ code: 'paused', remedy: 'git xmpp resume' }));
  });

  it('of one repository names just that one in its fault', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    expect(pauses.fault(NOTES.id)).toMatchObject({ message: 'notes is paused', remedy: 'git xmpp resume --repo /home/anna/notes' });
    expect(() => pauses.requireRunning()).not.toThrow();
    expect(() => pauses.requireRunning(NOTES.id)).toThrow('notes is paused');
  });

  it('is kept over a restart, in a file that nobody else may read', async () => {
    await (await open()).pause(NOTES, 3_600_000);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    clock.advance(1_800_000);
    expect((await open()).of(NOTES.id)?.until).toBe(AT - 3_600_000);
  });

  it('ends by itself, told once', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, 60_000);
    clock.advance(59_000);
    expect(pauses.of(NOTES.id)).toBeDefined();
    clock.advance(1_000);
    expect(pauses.of(NOTES.id)).toBeUndefined();
    await settle();
    expect(events.slice(1)).toMatchObject([{ type: 'unpaused', repo: 'notes' }]);
    expect(changes).toBe(2);
    expect(clock.timers).toBe(0);
  });

  it('that should have ended while the machine slept ends at the next look', async () => {
    const pauses = await open();
    await pauses.pause(undefined, 3_600_000);
    // Timers stand still during sleep: time jumps, and the timer of ten seconds comes when it comes.
    slept = 7_200_000;
    clock.advance(10_000);
    expect(pauses.all).toBeUndefined();
  });

  it('that ended while no agent ran is over', async () => {
    await (await open()).pause(NOTES, 60_000);
    clock.advance(61_000);
    expect((await open()).of(NOTES.id)).toBeUndefined();
  });

  it('is replaced by the next one', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    await pauses.pause(NOTES, 3_600_000);
    expect(pauses.of(NOTES.id)?.until).toBe(AT - 3_600_000);
  });

  it('that cannot be written down does not begin', async () => {
    path = join(makeFolder(), 'nowhere', 'pauses.json');
    const pauses = await open();
    await expect(pauses.pause(NOTES, undefined)).rejects.toThrow();
    expect(pauses.of(NOTES.id)).toBeUndefined();
    expect(changes).toBe(0);
  });
});

describe('resume', () => {
  it('of everything ends each pause that a person made', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    await pauses.pause(undefined, 3_600_000);
    expect(await pauses.resume(undefined)).toBe(true);
    expect([pauses.all, pauses.of(NOTES.id)]).toEqual([undefined, undefined]);
    expect((await open()).of(NOTES.id)).toBeUndefined();
  });

  it('of one repository is refused while everything is paused', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    await pauses.pause(undefined, undefined);
    await expect(pauses.resume(NOTES)).rejects.toMatchObject({ code: 'paused', remedy: 'git xmpp resume' });
  });

  it('changes nothing where nothing is paused', async () => {
    expect(await (await open()).resume(NOTES)).toBe(false);
    expect(changes).toBe(0);
  });
});

describe('a program that holds a repository', () => {
  it('holds it until it lets go, and no restart keeps that', async () => {
    const pauses = await open();
    const release = await pauses.hold(NOTES, 'PAUSE');
    expect(pauses.of(NOTES.id)).toMatchObject({ by: 'program', words: 'paused by the program that drives it' });
    expect((await open()).of(NOTES.id)).toBeUndefined();
    await release();
    await release();
    expect(pauses.of(NOTES.id)).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['paused', 'unpaused']);
  });

  it('is one of several: the last one that lets go frees it', async () => {
    const pauses = await open();
    const [one, other] = [await pauses.hold(NOTES, 'PAUSE'), await pauses.hold(NOTES, 'LOSTNET')];
    await one();
    expect(pauses.of(NOTES.id)?.words).toContain('the network is lost');
    await other();
    expect(pauses.of(NOTES.id)).toBeUndefined();
  });

  it('does not end what a person paused', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    await (await pauses.hold(NOTES, 'PAUSE'))();
    expect(pauses.of(NOTES.id)?.by).toBe('person');
  });
});

describe('the file', () => {
  it.each([
    ['{"version":2,"repos":[]}', 'file.version'],
    ['{"version":1}', 'file.repos'],
    ['{"version":1,"repos":[],"more":1}', 'file.more'],
    ['{"version":1,"all":{"since":5,"until":5},"repos":[]}', 'file.all.until'],
    ['{"version":1,"all":{"until":5},"repos":[]}', 'file.all.since'],
    [`{"version":1,"repos":[{"repo":"${NOTES.id}","since":-1}]}`, 'file.repos[0].since'],
    [`{"version":1,"repos":[{"repo":"x","since":1}]}`, 'file.repos[0].repo'],
    [`{"version":1,"repos":[{"repo":"${NOTES.id}","since":1},{"repo":"${NOTES.id}","since":1}]}`, 'twice'],
  ])('is refused as %s, by name', async (text, named) => {
    await writeFile(path, text);
    await expect(open()).rejects.toThrow(named);
  });

  it('forgets what is not shared any more', async () => {
    const pauses = await open();
    await pauses.pause(NOTES, undefined);
    await pauses.forget(NOTES.id);
    expect((await open()).of(NOTES.id)).toBeUndefined();
  });
});
