// When a changed file goes, and whom it keeps waiting.

import { describe, expect, it } from 'vitest';
import { SettleMachine } from '../../../src/sync/settle-machine.ts';
import type { FileSign, SettleFact, SettleIntention } from '../../../src/sync/settle-machine.ts';

const DELAY = 300;

/** A machine, its time, and files that it is shown when it looks. */
class World {
  readonly machine: SettleMachine;
  readonly files = new Map<string, FileSign>();
  readonly commits: number[] = [];
  readonly told: string[] = [];
  now = 1_000_000;
  isHeld = false;
  #size = 0;

  constructor(maxPaths?: number) {
    this.machine = new SettleMachine({ delayMs: DELAY, ...(maxPaths === undefined ? {} : { maxPaths }) });
  }

  write(path: string): void {
    this.#size += 1;
    this.files.set(path, { size: this.#size, mtimeMs: this.now });
    this.tell({ type: 'touched', path });
  }

  tell(fact: SettleFact): void {
    for (const intention of this.machine.receive(fact, this.now)) this.#carryOut(intention);
  }

  /** Lets time pass; every `everyMs`, `act` is called. */
  pass(ms: number, act: () => void = () => undefined, everyMs = 50): void {
    for (const end = this.now + ms, start = this.now; this.now < end;) {
      const next = Math.min(this.machine.wakeInMs ?? everyMs, everyMs - ((this.now - start) % everyMs));
      this.now = Math.min(end, this.now + Math.max(1, next));
      if ((this.now - start) % everyMs === 0) act();
      if (this.machine.wakeInMs !== undefined) this.tell({ type: 'time' });
    }
  }

  #carryOut(intention: SettleIntention): void {
    if (intention.type === 'look') return this.tell({ type: 'looked', found: new Map(intention.paths.map((path) => [path, this.files.get(path)])) });
    if (intention.type === 'unsettled') return void this.told.push(intention.path);
    this.commits.push(this.now);
    this.tell({ type: this.isHeld ? 'held' : 'committed' });
  }
}

describe('SettleMachine', () => {
  it('lets a file go once it was left alone for the delay', () => {
    const world = new World();
    world.write('a');
    world.pass(DELAY - 1);
    expect(world.commits).toEqual([]);
    world.pass(2);
    expect(world.commits).toEqual([1_000_000 + DELAY]);
    world.pass(100_000);
    expect(world.commits).toHaveLength(1);
    expect(world.machine.wakeInMs).toBeUndefined();
  });

  it('waits for a file that grows, though nobody is told of it', () => {
    const world = new World();
    world.write('a');
    world.pass(2000, () => world.files.set('a', { size: world.now, mtimeMs: 0 }));
    expect(world.commits).toEqual([]);
    world.pass(DELAY);
    expect(world.commits).toHaveLength(1);
  });

  it('takes many files at once', () => {
    const world = new World();
    for (let index = 0; index < 200; index += 1) {
      world.write(`file-${index}`);
      world.pass(1);
    }
    world.pass(DELAY * 2);
    expect(world.commits).toHaveLength(1);
  });

  it('keeps what is settled waiting for what is written, but not for ever', () => {
    const world = new World();
    world.write('quick');
    const goes = (): boolean | undefined => world.machine.mayGo('quick');
    world.pass(2 * DELAY, () => world.write('slow'), 20);
    expect(world.commits).toEqual([]);
    expect([goes(), world.machine.mayGo('slow'), world.machine.mayGo('other')]).toEqual([true, false, undefined]);
    world.pass(10 * DELAY, () => world.write('slow'), 20);
    expect(world.commits).toHaveLength(1);
    expect(goes()).toBeUndefined();
  });

  it('names a file that is still written after a minute, once, and lets nobody wait for it any more', () => {
    const world = new World();
    world.write('log');
    world.pass(70_000, () => world.write('log'), 100);
    expect(world.told).toEqual(['log']);
    expect(world.machine.unsettled).toEqual(['log']);
    const start = world.now;
    world.write('a');
    world.pass(1000, () => world.write('log'), 100);
    expect(world.commits).toEqual([start + DELAY]);
    world.pass(2 * DELAY);
    expect(world.machine.unsettled).toEqual([]);
    expect(world.commits).toHaveLength(2);
  });

  it('knows of what is in a folder that it is not settled, nor the folder gone', () => {
    const world = new World();
    world.tell({ type: 'touched', path: 'd' });
    expect([world.machine.mayGo('d/x/y'), world.machine.mayGo('de'), world.machine.mayGo('d')]).toEqual([false, undefined, false]);
  });

  it('knows only that there are many beyond its limit, and asks once when it is quiet', () => {
    const world = new World(10);
    for (let index = 0; index < 50; index += 1) world.write(`file-${index}`);
    expect(world.machine.mayGo('file-1')).toBeUndefined();
    world.pass(DELAY);
    expect(world.commits).toEqual([1_000_000 + DELAY]);
    world.pass(10_000);
    expect(world.commits).toHaveLength(1);
  });

  it('asks now and then while many go on changing', () => {
    const world = new World(10);
    let index = 0;
    world.pass(10 * DELAY + 200, () => world.write(`file-${(index += 1)}`), 10);
    expect(world.commits).toHaveLength(1);
  });

  it('asks for nothing while it is held, and for all again after', () => {
    const world = new World();
    world.isHeld = true;
    world.write('a');
    world.pass(10_000);
    expect(world.commits).toHaveLength(1);
    world.isHeld = false;
    world.tell({ type: 'retry' });
    world.pass(DELAY);
    expect(world.commits).toHaveLength(2);
    world.pass(10_000);
    expect(world.commits).toHaveLength(2);
  });

  it('keeps a file that was touched while it was committed', () => {
    const world = new World();
    world.write('a');
    const asked: SettleIntention[] = [];
    for (const at of [DELAY / 2, DELAY]) {
      for (const intention of world.machine.receive({ type: 'time' }, 1_000_000 + at)) {
        if (intention.type === 'look') asked.push(...world.machine.receive({ type: 'looked', found: world.files }, 1_000_000 + at));
      }
    }
    expect(asked).toEqual([{ type: 'commit' }]);
    world.now += DELAY;
    world.write('a');
    world.tell({ type: 'committed' });
    world.pass(DELAY);
    expect(world.commits).toHaveLength(1);
  });

  it('does not believe a look that was asked for before the last touch, nor one that it did not ask for', () => {
    const machine = new SettleMachine({ delayMs: DELAY });
    const found = new Map<string, FileSign>([['a', { size: 1, mtimeMs: 1 }]]);
    machine.receive({ type: 'touched', path: 'a' }, 0);
    expect(machine.receive({ type: 'time' }, DELAY / 2)).toEqual([{ type: 'look', paths: ['a'] }]);
    machine.receive({ type: 'touched', path: 'a' }, DELAY / 2);
    expect(machine.receive({ type: 'looked', found }, DELAY / 2)).toEqual([]);
    expect(machine.receive({ type: 'time' }, DELAY)).toEqual([{ type: 'look', paths: ['a'] }]);
    expect(machine.receive({ type: 'looked', found }, DELAY)).toEqual([]);
    expect(machine.mayGo('a')).toBe(false);
    expect(machine.receive({ type: 'looked', found: new Map([['never-touched', undefined]]) }, DELAY)).toEqual([]);
    expect(machine.mayGo('never-touched')).toBeUndefined();
  });

  it('waits the whole delay from the last touch, whatever it found or settled before', () => {
    const machine = new SettleMachine({ delayMs: DELAY });
    const found = new Map<string, FileSign>([['a', { size: 1, mtimeMs: 1 }]]);
    const look = (now: number): SettleIntention[] => [...machine.receive({ type: 'time' }, now), ...machine.receive({ type: 'looked', found }, now)];
    machine.receive({ type: 'touched', path: 'a' }, 0);
    look(DELAY / 2);
    machine.receive({ type: 'touched', path: 'a' }, DELAY / 2 + 1);
    look(DELAY + 1);
    expect(machine.mayGo('a')).toBe(false);
    expect(look(1.5 * DELAY + 1)).toContainEqual({ type: 'commit' });
    machine.receive({ type: 'held' }, 1.5 * DELAY + 1);
    expect(machine.mayGo('a')).toBe(true);
    machine.receive({ type: 'touched', path: 'a' }, 2 * DELAY);
    expect(machine.mayGo('a')).toBe(false);
  });

  it('remembers beyond its limit which files are never left alone, and names none of them when it is left alone', () => {
    const world = new World(10);
    world.write('log');
    world.pass(70_000, () => world.write('log'), 100);
    for (let index = 0; index < 50; index += 1) world.write(`file-${index}`);
    expect(world.machine.unsettled).toEqual(['log']);
    expect(world.machine.mayGo('log')).toBe(false);
  });

  it('takes a file that was left alone at last for one like any other while it is not committed', () => {
    const world = new World();
    world.write('log');
    world.pass(70_000, () => world.write('log'), 100);
    world.isHeld = true;
    world.pass(2 * DELAY);
    expect(world.machine.mayGo('log')).toBe(true);
    expect(world.machine.unsettled).toEqual([]);
  });

  it('forgets what git ignores', () => {
    const world = new World();
    world.write('a');
    world.tell({ type: 'ignored', paths: ['a'] });
    world.pass(10_000);
    expect(world.commits).toEqual([]);
    expect(world.machine.wakeInMs).toBeUndefined();
  });

  it.each([365 * 86_400_000, -365 * 86_400_000])('is not misled by a clock that jumps by %d ms', (jump) => {
    const world = new World();
    world.write('a');
    world.now += jump;
    world.write('a');
    const start = world.now;
    world.pass(2 * DELAY);
    expect(world.told).toEqual([]);
    expect(world.commits).toEqual([start + DELAY]);
  });
});
