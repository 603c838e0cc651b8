import { describe, expect, it } from 'vitest';
import { Events } from '../../../src/agent/events.ts';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { createLog, silentLog } from '../../../src/lib/log.ts';
import { settle, VirtualClock } from '../../helpers/virtual-clock.ts';

const clock = new VirtualClock();
const make = (): Events => new Events(clock, silentLog);
const say = (events: Events, words: string): void => events.emit({ type: 'test', words });

describe('Events', () => {
  it('tells what happened, when, to all who listen', () => {
    const events = make();
    const heard: AgentEvent[] = [];
    const stop = events.listen((event) => heard.push(event));
    events.emit({ type: 'moved', words: 'main moved', peer: 'laptop', ref: 'refs/heads/main' });
    stop();
    say(events, 'unheard');
    expect(heard).toEqual([{ id: clock.now() * 1000, at: clock.now(), type: 'moved', words: 'main moved', peer: 'laptop', ref: 'refs/heads/main' }]);
  });

  it('keeps the last five hundred', () => {
    const events = make();
    for (let count = 0; count < 700; count += 1) say(events, String(count));
    expect(events.recent).toHaveLength(500);
    expect([events.recent[0]?.words, events.recent.at(-1)?.words]).toEqual(['200', '699']);
  });

  it('gives those after one that the caller has; all where it is none of its own', () => {
    const events = make();
    for (let count = 0; count < 5; count += 1) say(events, String(count));
    const ids = events.recent.map(({ id }) => id);
    expect(ids).toEqual([0, 1, 2, 3, 4].map((count) => clock.now() * 1000 + count));
    expect(events.since(ids[2]).map(({ words }) => words)).toEqual(['3', '4']);
    expect(events.since(ids[4])).toEqual([]);
    for (const id of [undefined, (ids[4] ?? 0) + 1, 5]) expect(events.since(id)).toHaveLength(5);
  });

  it('writes each to the log', () => {
    const lines: string[] = [];
    const events = new Events(clock, createLog((line) => lines.push(line), 'info', () => 0));
    events.emit({ type: 'moved', words: 'main moved', peer: 'laptop', repo: 'notes' });
    expect(lines).toEqual(['1970-01-01T00:00:00.000Z info moved said="main moved" peer=laptop repo=notes']);
  });

  it.each([
    ['a branch', { type: 'moved', words: 'secret-plan went forward', ref: 'refs/heads/secret-plan' }],
    ['files', { type: 'conflict', words: 'secret-plan.txt', paths: ['secret-plan.txt'] }],
    ['a file that is left out', { type: 'left-out', words: 'secret-plan.txt is large' }],
    ['a file that is still written', { type: 'unsettled', words: 'secret-plan.txt is being written' }],
  ])('tells of %s to who listens, and names it in no log', (_what, event) => {
    const lines: string[] = [];
    const events = new Events(clock, createLog((line) => lines.push(line), 'debug', () => 0));
    events.emit({ repo: 'notes', ...event });
    expect(events.recent[0]?.words).toContain('secret-plan');
    expect(lines).toEqual([`1970-01-01T00:00:00.000Z info ${event.type} repo=notes`]);
  });
});

describe('Events.follow', () => {
  it('gives the events to come, in order, until it is told to stop', async () => {
    const events = make();
    const stop = new AbortController();
    const heard: string[] = [];
    const following = (async () => {
      for await (const { words } of events.follow(stop.signal)) heard.push(words);
    })();
    say(events, 'a');
    say(events, 'b');
    await settle();
    say(events, 'c');
    await settle();
    expect(heard).toEqual(['a', 'b', 'c']);
    stop.abort();
    await following;
    say(events, 'd');
    expect(heard).toHaveLength(3);
  });

  it('begins with what it is handed, and misses nothing that comes meanwhile', async () => {
    const events = make();
    for (const words of ['a', 'b']) say(events, words);
    const following = events.follow(new AbortController().signal, events.since(undefined));
    expect((await following.next()).value?.words).toBe('a');
    say(events, 'c');
    expect([(await following.next()).value?.words, (await following.next()).value?.words]).toEqual(['b', 'c']);
    await following.return(undefined);
  });

  it('ends at once when it was told to stop before', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await make().follow(stop.signal).next()).toEqual({ done: true, value: undefined });
  });

  it('stops listening when whoever follows goes away', async () => {
    const events = make();
    const { signal } = new AbortController();
    const following = events.follow(signal);
    const first = following.next();
    say(events, 'a');
    expect((await first).value?.words).toBe('a');
    await following.return(undefined);
    say(events, 'b');
    expect(await following.next()).toEqual({ done: true, value: undefined });
  });

  it('cuts off one that does not read, and keeps no more than a thousand for it', async () => {
    const events = make();
    const following = events.follow(new AbortController().signal);
    const first = following.next();
    for (let count = 0; count < 5000; count += 1) say(events, String(count));
    expect((await first).value?.words).toBe('0');
    let read = 1;
    let last = '';
    for await (const { words } of following) {
      read += 1;
      last = words;
    }
    expect([read, last]).toEqual([1000, '999']);
  });

  it('serves one who reads slowly, but reads', async () => {
    const events = make();
    const stop = new AbortController();
    const following = events.follow(stop.signal);
    const first = following.next();
    say(events, '0');
    await first;
    for (let count = 1; count < 3000; count += 1) {
      say(events, String(count));
      expect((await following.next()).value?.words).toBe(String(count));
    }
    stop.abort();
  });
});
