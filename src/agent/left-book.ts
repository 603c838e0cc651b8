// The book of left commits of one repository: what its person left here, and what other devices tell (docs/CONVERGENCE.md, "What was left").
// Rule: only a person's move marks anything; what a device tells that is no book is reported once, and counts as empty.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findMove } from '../git/left-move.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import { branchesMatching } from '../git/services.ts';
import { readTips } from '../git/tips.ts';
import { isRival } from '../sync/join.ts';
import type { Peers } from '../home/peers.ts';
import { isHeld, isLeft, mergeLeft, NO_LEFT, noteMove } from '../sync/left-format.ts';
import type { LeftBook, Mark } from '../sync/left-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import type { Policy } from '../sync/plan.ts';
import { LEFT_REF } from '../sync/record-format.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import { readBook, textOf, writeBook } from './left-blob.ts';

export interface LeftParts {
  readonly context: RepoContext;
  readonly peers: Peers;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
}

const HEADS = 'refs/heads/';
const MAX_READ = 64;

/** Used by one at a time: the loop sees to that. */
export class LeftBooks {
  readonly #parts: LeftParts;
  /** Books that were read, by blob: what an object id names never changes. */
  readonly #read = new Map<Oid, LeftBook>();
  /** Our own marks, which lie under `refs/xmpp/left` here. */
  #own: { readonly oid: Oid | undefined; readonly book: LeftBook } | undefined;
  /** Branches as they were last seen, or set by the agent itself. */
  #tips: Map<RefName, Oid> | undefined;
  #policy: Pick<Policy, 'mergeFrom' | 'rewrite'> = { mergeFrom: 'own', rewrite: 'follow' };
  /** What our map was last made to tell. */
  #told: { readonly text: string; readonly oid: Oid | undefined } = { text: '', oid: undefined };
  /** Of the same books it is the same. */
  #merged: { readonly key: string; readonly book: LeftBook; readonly text: string } | undefined;

  constructor(parts: LeftParts) {
    this.#parts = parts;
  }

  /** Whose books count from now on. */
  use(policy: Pick<Policy, 'mergeFrom' | 'rewrite'>): void {
    this.#policy = policy;
  }

  /** The agent itself moved a branch: that is nobody's decision. */
  moved(ref: RefName, to: Oid | undefined): void {
    if (to === undefined) this.#tips?.delete(ref);
    else this.#tips?.set(ref, to);
  }

  /** The branches as they are now: what a person moved other than forward since is marked. */
  async seen(refs: RefsOfMap): Promise<void> {
    const { context } = this.#parts;
    const before = this.#tips ?? context.maps.refsOf(context.me);
    const now = new Map([...refs].filter(([ref]) => ref.startsWith(HEADS)));
    for (const [ref, to] of now) {
      const from = before.get(ref);
      if (from !== undefined && from !== to) await this.#note(ref, { from, to });
    }
    this.#tips = now;
  }

  /**
   * What a hub holds is not left: it only ever goes forward, so its commits come again. And where it stands on a merge that another git
   * wrote otherwise than ours, that one is solid for everybody. What is no commit there is named when its branch is considered.
   */
  async held(refs: RefsOfMap, ours: RefsOfMap): Promise<void> {
    const { context } = this.#parts;
    for (const [ref, to] of [...refs].filter(([each]) => each.startsWith(HEADS))) {
      const own = ours.get(ref);
      const [mine, hub] = own === undefined || own === to ? [] : await readTips(context, [own, to]).catch(() => []);
      const held = mine !== undefined && hub !== undefined && isRival(mine, hub) ? [to] : [];
      await this.#note(ref, { from: undefined, to }, held);
    }
  }

  /** What counts in a join. */
  async counting(): Promise<LeftBook> {
    return this.#policy.rewrite === 'ask' ? (await this.#readOwn()).book : (await this.#merge()).book;
  }

  /** The blob that our map is to name; undefined while there is nothing to tell. */
  async publish(): Promise<Oid | undefined> {
    const text = await this.#toTell();
    if (text !== this.#told.text) this.#told = { text, oid: text === '' ? undefined : await writeBook(this.#parts.context, text) };
    return this.#told.oid;
  }

  /** Whether our map does not tell yet what is known. */
  async hasNews(): Promise<boolean> {
    const { me, maps } = this.#parts.context;
    return (await this.#toTell()) !== this.#told.text || maps.refsOf(me).get(LEFT_REF) !== this.#told.oid;
  }

  async #toTell(): Promise<string> {
    const { branches } = this.#parts.context.shared();
    const { book, text } = await this.#merge();
    if (branches.length === 0 || text === '') return text;
    const shown = new Set(branchesMatching(branches, book));
    return textOf(new Map([...book].filter(([ref]) => shown.has(ref.slice(HEADS.length)))));
  }

  async #note(ref: RefName, move: { readonly from: Oid | undefined; readonly to: Oid }, held: readonly Oid[] = []): Promise<void> {
    const { context, clock } = this.#parts;
    const [known, own] = [(await this.#merge()).book, (await this.#readOwn()).book];
    // Under `ask` our own marks alone count: what others have taken back since is still to be taken back here.
    const gone = [known, own].flatMap((book) => [...(book.get(ref) ?? [])].filter(([oid]) => isLeft(book, ref, oid)).map(([oid]) => oid));
    const { left, back } = await findMove(context, move, new Set(gone));
    const news = held.filter((oid) => !isHeld(known, ref, oid));
    if (left.length + back.length + news.length === 0) return;
    const noted = noteMove(known, { ref, left, back, held: news, stamp: clock.now() });
    const marks = new Map<Oid, Mark>();
    for (const oid of [...left, ...back, ...news]) {
      const mark = noted.get(ref)?.get(oid);
      if (mark !== undefined) marks.set(oid, mark);
    }
    await this.#keep(mergeLeft(own, new Map([[ref, marks]])));
  }

  async #keep(book: LeftBook): Promise<void> {
    const { context } = this.#parts;
    const from = (await this.#readOwn()).oid;
    const oid = await writeBook(context, textOf(book));
    const done = await updateRefs(context.runGit, context.repository, [{ ref: LEFT_REF, from, to: oid }], { message: 'xmpp: left' });
    this.#own = done === 'done' ? { oid, book } : undefined;
    // Read anew at the next look, which finds the same move again.
    if (done !== 'done') throw new Fault('git', `${LEFT_REF} was moved, or is locked, by somebody else`);
  }

  async #readOwn(): Promise<{ readonly oid: Oid | undefined; readonly book: LeftBook }> {
    if (this.#own !== undefined) return this.#own;
    const { runGit, repository } = this.#parts.context;
    const oid = (await listRefs(runGit, repository, [LEFT_REF])).get(LEFT_REF);
    this.#own = { oid, book: oid === undefined ? NO_LEFT : await this.#readBook(oid, 'this device') };
    return this.#own;
  }

  /** Our own marks and those of every device that counts. */
  async #merge(): Promise<{ readonly book: LeftBook; readonly text: string }> {
    const { context, peers } = this.#parts;
    const own = await this.#readOwn();
    const counted = peers.list().filter(({ kind }) => kind === 'own' || this.#policy.mergeFrom === 'all');
    const told = counted.flatMap(({ device, petname }) => {
      const oid = context.maps.refsOf(device).get(LEFT_REF);
      return oid === undefined ? [] : [{ oid, petname }];
    });
    const key = [own.oid, ...told.map(({ oid }) => oid)].join(' ');
    if (this.#merged?.key === key) return this.#merged;
    let { book } = own;
    for (const { oid, petname } of told) book = mergeLeft(book, await this.#readBook(oid, petname));
    this.#merged = { key, book, text: textOf(book) };
    return this.#merged;
  }

  async #readBook(oid: Oid, whose: string): Promise<LeftBook> {
    const known = this.#read.get(oid);
    if (known !== undefined) return known;
    const { context, events } = this.#parts;
    const book = await readBook(context, oid).catch((error: unknown) => {
      if (!(error instanceof InputFault)) throw error;
      events.emit({ type: 'left-book-refused', words: `of ${whose}: ${error.message}; it counts as empty`, peer: whose, repo: context.shared().name, code: error.code });
      return NO_LEFT;
    });
    const [oldest] = this.#read.keys();
    if (this.#read.size >= MAX_READ && oldest !== undefined) this.#read.delete(oldest);
    this.#read.set(oid, book);
    return book;
  }
}
