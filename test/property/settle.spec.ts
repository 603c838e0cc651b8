// Any work of any programs in a folder, as the settle machine sees it: everything is committed at last, nothing that is being written is.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettleMachine } from '../../src/sync/settle-machine.ts';
import type { FileSign, SettleFact } from '../../src/sync/settle-machine.ts';

const DELAY = 100;
const NAMES = ['a', 'b', 'd', 'd/x', 'd/y', 'e', 'f'];

type Step =
  | { readonly do: 'write' | 'silent' | 'remove'; readonly path: string }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'hold' | 'free' | 'lose' };

const path = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('write' as const, 'silent' as const, 'remove' as const), path }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -1e10, max: 1e10 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'free' as const, 'lose' as const) }) },
);

/** Files with the time of their last change, and what is committed of each. */
class Folder {
  readonly machine: SettleMachine;
  readonly files = new Map<string, FileSign>();
  readonly changed = new Map<string, number>();
  readonly told = new Map<string, number>();
  readonly committed = new Map<string, FileSign>();
  /** Time that really passed, and what the wall clock says beyond it. */
  real = 0;
  skew = 1_000_000;
  hasJumped = false;
  isHeld = false;
  commits = 0;
  #size = 0;

  constructor(maxPaths: number) {
    this.machine = new SettleMachine({ delayMs: DELAY, maxPaths });
  }

  change(path: string, sign: 'written' | 'removed', isTold: boolean): void {
    this.#size += 1;
    this.files.set(path, sign === 'removed' ? undefined : { size: this.#size, mtimeMs: this.real });
    this.changed.set(path, this.real);
    if (isTold) this.told.set(path, this.real);
    if (isTold) this.tell({ type: 'touched', path });
  }

  tell(fact: SettleFact): void {
    for (const intention of this.machine.receive(fact, this.real + this.skew)) {
      if (intention.type === 'look') this.tell({ type: 'looked', found: new Map(intention.paths.map((each) => [each, this.files.get(each)])) });
      if (intention.type === 'commit') this.#commit();
    }
  }

  jump(ms: number): void {
    this.skew += ms;
    this.hasJumped = true;
  }

  pass(ms: number): void {
    for (const end = this.real + ms; this.real < end;) {
      const waitMs = this.machine.wakeInMs ?? ms;
      this.real = Math.min(end, this.real + Math.max(1, waitMs));
      if (this.machine.wakeInMs !== undefined) this.tell({ type: 'time' });
    }
  }

  /** As the agent does: git lists what differs, and what nobody knows of goes by its age. */
  #commit(): void {
    this.commits += 1;
    if (this.isHeld) return this.tell({ type: 'held' });
    const differing = [...this.files].filter(([each, sign]) => this.committed.get(each) !== sign);
    const young: string[] = [];
    for (const [each, sign] of differing) {
      const may = this.machine.mayGo(each);
      const isYoung = sign !== undefined && this.real - (this.changed.get(each) ?? 0) < DELAY;
      if (may === undefined && isYoung) young.push(each);
      if (may === true || (may === undefined && !isYoung)) {
        if (may === true && !this.hasJumped) expect(this.real - (this.told.get(each) ?? 0)).toBeGreaterThanOrEqual(DELAY);
        this.committed.set(each, sign);
      }
    }
    this.tell({ type: 'committed' });
    for (const each of young) this.tell({ type: 'touched', path: each });
  }
}

describe('SettleMachine', () => {
  it('commits everything at last, once it is left alone, and is silent then', () => {
    let commits = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 2, max: 10 }), (steps, maxPaths) => {
        const folder = new Folder(maxPaths);
        for (const each of steps) {
          if (each.do === 'write' || each.do === 'silent') folder.change(each.path, 'written', each.do === 'write');
          else if (each.do === 'remove') folder.change(each.path, 'removed', true);
          else if (each.do === 'pass') folder.pass(each.ms);
          else if (each.do === 'jump') folder.jump(each.ms);
          else if (each.do === 'lose') folder.tell({ type: 'everything' });
          else folder.isHeld = each.do === 'hold';
        }
        folder.isHeld = false;
        folder.tell({ type: 'retry' });
        folder.tell({ type: 'everything' });
        folder.pass(20 * DELAY);
        expect([...folder.committed].filter(([name, sign]) => sign !== folder.files.get(name))).toEqual([]);
        expect([...folder.files].filter(([name, sign]) => sign !== undefined && !folder.committed.has(name))).toEqual([]);
        expect(folder.machine.wakeInMs).toBeUndefined();
        commits += folder.commits;
      }),
      { numRuns: 500 },
    );
    expect(commits).toBeGreaterThan(500);
  });

  it('never lets a file go while it is told to be written, however long that takes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: DELAY / 2 - 1 }), path), { minLength: 1, maxLength: 300 }), (writes) => {
        const folder = new Folder(100);
        for (const [ms, name] of writes) {
          folder.change('busy', 'written', true);
          folder.change(name, 'written', true);
          folder.pass(ms);
          expect(folder.committed.has('busy')).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });
});
