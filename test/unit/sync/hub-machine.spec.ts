import { describe, expect, it } from 'vitest';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import { HubMachine, MAX_TOLD_GAP_MS, MAX_UPDATES, TOLD_GAP_MS } from '../../../src/sync/hub-machine.ts';
import type { HubFact, HubIntention, HubMode, HubUpdate, PushResult } from '../../../src/sync/hub-machine.ts';
import { oidOf } from '../../helpers/hub-network.ts';

const main = parseRefName('refs/heads/main');
const own = parseRefName('refs/heads/synced/me/main');
const others = parseRefName('refs/heads/synced/you/main');
const v1 = parseRefName('refs/tags/v1');
const [a, b, c, d] = [oidOf('a'), oidOf('b'), oidOf('c'), oidOf('d')];

type Refs = Readonly<Record<string, Oid>>;
const refsOf = (refs: Refs): Map<RefName, Oid> => new Map(Object.entries(refs).map(([ref, oid]) => [parseRefName(ref), oid]));

/** A machine with a clock and a middling random. */
class Hub {
  readonly machine: HubMachine;
  now = 1_000_000;
  random = 0.5;

  constructor(mode: HubMode = 'both', seen?: Refs) {
    this.machine = new HubMachine({ mode, prefix: 'refs/heads/synced/me/', ...(seen === undefined ? {} : { seen: refsOf(seen) }) });
  }

  tell(fact: HubFact): HubIntention[] {
    return this.machine.receive(fact, this.now, () => this.random);
  }

  ours(tips: Refs, contained: Refs = {}): HubIntention[] {
    return this.tell({ type: 'ours', tips: refsOf(tips), contained: refsOf(contained) });
  }

  considered(tips: Refs, contained: Refs = {}): HubIntention[] {
    return this.tell({ type: 'considered', tips: refsOf(tips), contained: refsOf(contained) });
  }

  fetched(refs: Refs): HubIntention[] {
    return this.tell({ type: 'fetched', refs: refsOf(refs) });
  }

  pushed(results: Readonly<Record<string, PushResult>>): HubIntention[] {
    return this.tell({ type: 'pushed', results: new Map(Object.entries(results).map(([ref, result]) => [parseRefName(ref), result])) });
  }

  fail(kind: 'passing' | 'person' = 'passing'): HubIntention[] {
    return this.tell({ type: 'failed', trouble: { kind, words: 'no' } });
  }

  /** To the time it asked to be woken at. */
  wake(): HubIntention[] {
    const at = this.machine.wakeAt;
    if (at === undefined) throw new Error('it does not want to be woken');
    this.now = Math.max(this.now, at);
    return this.tell({ type: 'time' });
  }

  /** Fetched and compared: nothing is under way then. */
  known(tips: Refs, hub: Refs, contained: Refs = {}): HubIntention[] {
    this.tell({ type: 'contact' });
    this.fetched(hub);
    return this.considered(tips, contained);
  }
}

function updatesOf(intentions: readonly HubIntention[]): readonly HubUpdate[] {
  return intentions.flatMap((each) => (each.type === 'push' ? each.updates : []));
}

const FETCH = [{ type: 'fetch', isListing: false }];

describe('HubMachine', () => {
  it('asks for nothing before the first contact, and is fetched once at each', () => {
    const hub = new Hub();
    expect(hub.ours({ [main]: a })).toEqual([]);
    expect(hub.machine.wakeAt).toBeUndefined();
    expect(hub.tell({ type: 'contact' })).toEqual(FETCH);
    expect(hub.fetched({ [main]: a, [own]: a })).toEqual([{ type: 'consider', refs: refsOf({ [main]: a, [own]: a }), mayMove: true }]);
    expect(hub.considered({ [main]: a })).toEqual([]);
    expect(hub.machine.wakeAt).toBeUndefined();
    expect(hub.tell({ type: 'contact' })).toEqual(FETCH);
  });

  it('pushes our own synced ref first, from what it held, and then the branch', () => {
    const hub = new Hub();
    const first = updatesOf(hub.known({ [main]: b }, { [main]: a, [own]: c }, { [main]: a }));
    expect(first).toEqual([
      { ref: own, from: c, to: b, isOwn: true },
      { ref: main, from: a, to: b, isOwn: false },
    ]);
    expect(hub.pushed({ [own]: 'done', [main]: 'done' })).toEqual([{ type: 'announce' }]);
    expect(updatesOf(hub.ours({ [main]: d }, { [main]: b })).map(({ ref, from }) => [ref, from])).toEqual([[own, b], [main, b]]);
  });

  it('makes the branch where the hub has none, and tags that it lacks, but moves none', () => {
    const hub = new Hub();
    expect(updatesOf(hub.known({ [main]: a, [v1]: b }, {})).map(({ ref }) => ref)).toEqual([own, main, v1]);
    const other = new Hub();
    expect(updatesOf(other.known({ [main]: a, [v1]: b }, { [main]: a, [own]: a, [v1]: c }))).toEqual([]);
  });

  it('writes only the synced ref while the branch there is not contained in ours', () => {
    const hub = new Hub();
    expect(updatesOf(hub.known({ [main]: b }, { [main]: a })).map(({ ref }) => ref)).toEqual([own]);
    expect(hub.machine.apart).toEqual([main]);
    hub.pushed({ [own]: 'done' });
    expect(updatesOf(hub.ours({ [main]: c }, { [main]: a })).map(({ ref }) => ref)).toEqual([own, main]);
    expect(hub.machine.apart).toEqual([]);
  });

  it('waits with a branch that somebody else has just moved until ours was quiet, or theirs for 15 s', () => {
    const contested = (): Hub => {
      const hub = new Hub('both', { [main]: a, [own]: a });
      hub.known({ [main]: b }, { [main]: c, [own]: a, [others]: c });
      hub.pushed({ [own]: 'done' });
      return hub;
    };
    const quiet = contested();
    quiet.random = 0.2;
    expect(updatesOf(quiet.ours({ [main]: d }, { [main]: c })).map(({ ref }) => ref)).toEqual([own]);
    quiet.pushed({ [own]: 'done' });
    expect(quiet.machine.wakeAt).toBe(quiet.now + 7_000);
    expect(updatesOf(quiet.wake()).map(({ ref }) => ref)).toEqual([main]);
    const restless = contested();
    const since = restless.now;
    restless.random = 0.9;
    restless.now += 5_000;
    restless.ours({ [main]: d }, { [main]: c });
    restless.pushed({ [own]: 'done' });
    expect(restless.machine.wakeAt).toBe(since + 15_000);
  });

  it('fetches after a refusal, and doubles its wait with each until one goes through', () => {
    const hub = new Hub('both', { [main]: a, [own]: a });
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    hub.random = 0;
    const waits: number[] = [];
    let tip = b;
    let contained = a;
    let intentions = hub.ours({ [main]: tip }, { [main]: contained });
    for (let round = 0; round < 4; round += 1) {
      expect(updatesOf(intentions).map(({ ref }) => ref)).toContain(main);
      expect(hub.pushed({ [own]: 'done', [main]: 'stale' }).at(-1)).toEqual(FETCH[0]);
      contained = oidOf(`theirs ${round}`);
      hub.fetched({ [main]: contained, [own]: tip });
      tip = oidOf(`joined ${round}`);
      intentions = hub.considered({ [main]: tip }, { [main]: contained });
      expect(updatesOf(intentions).map(({ ref }) => ref)).toEqual([own]);
      hub.pushed({ [own]: 'done' });
      waits.push((hub.machine.wakeAt ?? 0) - hub.now);
      intentions = hub.wake();
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000]);
    hub.pushed({ [main]: 'done' });
    hub.now += 20_000;
    expect(updatesOf(hub.ours({ [main]: c }, { [main]: tip })).map(({ ref }) => ref)).toEqual([own, main]);
  });

  it('builds on the tip of the hub where ours has moved to what does not contain it, once for each pair of tips', () => {
    const hub = new Hub();
    hub.known({ [main]: b }, { [main]: b, [own]: b });
    expect(updatesOf(hub.ours({ [main]: c })).map(({ ref }) => ref)).toEqual([own]);
    const [consider] = hub.pushed({ [own]: 'done' }).slice(1);
    expect(consider).toEqual({ type: 'consider', refs: refsOf({ [main]: b, [own]: c }), mayMove: true });
    expect(updatesOf(hub.considered({ [main]: d }, { [main]: b })).map(({ ref }) => ref)).toEqual([own, main]);
    hub.pushed({ [own]: 'done', [main]: 'done' });
    hub.ours({ [main]: a });
    expect(hub.pushed({ [own]: 'done' }).map(({ type }) => type)).toEqual(['announce', 'consider']);
    expect(hub.considered({ [main]: a })).toEqual([]);
    expect(hub.machine.apart).toEqual([main]);
    expect(hub.machine.wakeAt).toBeUndefined();
  });

  it('takes away our own synced ref of a branch that is gone here, and deletes nothing else', () => {
    const hub = new Hub();
    const there = { [main]: a, 'refs/heads/old': a, 'refs/heads/synced/me/old': a, [own]: a, [others]: a };
    expect(updatesOf(hub.known({ [main]: a }, there))).toEqual([{ ref: 'refs/heads/synced/me/old', from: a, to: undefined, isOwn: true }]);
  });

  it('does not make a branch again that was taken away at the hub, until ours changes', () => {
    const hub = new Hub('both', { [main]: a, [own]: a, [v1]: a });
    expect(updatesOf(hub.known({ [main]: a, [v1]: a }, { [main]: a, [own]: a, [v1]: a }))).toEqual([]);
    hub.tell({ type: 'contact' });
    hub.fetched({ [own]: a });
    expect(updatesOf(hub.considered({ [main]: a, [v1]: a }))).toEqual([]);
    expect([hub.machine.wanted, hub.machine.wakeAt]).toEqual([[], undefined]);
    expect(updatesOf(hub.ours({ [main]: b })).map(({ ref }) => ref)).toEqual([own]);
    hub.pushed({ [own]: 'done' });
    expect(updatesOf(hub.wake()).map(({ ref }) => ref)).toEqual([main]);
  });

  it('does one thing at a time, and comes back to what happened meanwhile', () => {
    const hub = new Hub();
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    hub.ours({ [main]: b }, { [main]: a });
    expect(hub.ours({ [main]: c }, { [main]: a })).toEqual([]);
    expect(hub.tell({ type: 'told' })).toEqual([]);
    expect(hub.pushed({ [own]: 'done', [main]: 'done' })).toEqual([{ type: 'announce' }]);
    expect(hub.wake()).toEqual(FETCH);
    hub.fetched({ [main]: b, [own]: b });
    expect(updatesOf(hub.considered({ [main]: c }, { [main]: b })).map(({ ref }) => ref)).toEqual([own, main]);
  });

  it('fetches once when told, however often, and not sooner than a second after', () => {
    const hub = new Hub();
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    hub.now += TOLD_GAP_MS;
    expect(hub.tell({ type: 'told' })).toEqual(FETCH);
    for (let count = 0; count < 100; count += 1) expect(hub.tell({ type: 'told' })).toEqual([]);
    hub.fetched({ [main]: b, [own]: a });
    // What there is to push waits for it: it would be stale by then.
    expect(hub.considered({ [main]: b })).toEqual([]);
    expect(hub.machine.wakeAt).toBe(hub.now + TOLD_GAP_MS);
    expect(hub.wake()).toEqual(FETCH);
    hub.fetched({ [main]: b, [own]: a });
    expect(hub.considered({ [main]: b })).toMatchObject([{ type: 'push' }]);
    hub.pushed({ [own]: 'done' });
    expect(hub.machine.wakeAt).toBeUndefined();
  });

  it('believes those less and less who told of nothing new, until there is something; what was seen counts at once', () => {
    const hub = new Hub();
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    const gaps = Array.from({ length: 12 }, () => {
      const since = hub.now;
      hub.tell({ type: 'told' });
      expect(hub.wake()).toEqual(FETCH);
      hub.fetched({ [main]: a, [own]: a });
      hub.considered({ [main]: a });
      return hub.now - since;
    });
    expect(gaps.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(gaps.at(-1)).toBe(MAX_TOLD_GAP_MS);
    expect(hub.tell({ type: 'told', isSeen: true })).toEqual(FETCH);
    hub.fetched({ [main]: a, [own]: a, [others]: b });
    hub.considered({ [main]: a });
    hub.tell({ type: 'told' });
    expect(hub.machine.wakeAt).toBe(hub.now + TOLD_GAP_MS);
  });

  it('tries again ever more slowly what failed, starts over after success, and at once when the network returns', () => {
    const hub = new Hub();
    hub.random = 1;
    hub.tell({ type: 'contact' });
    const waits = [1, 2, 3].map(() => {
      hub.fail();
      const wait = (hub.machine.wakeAt ?? 0) - hub.now;
      expect(hub.tell({ type: 'told' })).toEqual([]);
      expect(hub.wake()).toEqual(FETCH);
      return wait;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    hub.fail();
    expect(hub.machine.trouble).toMatchObject({ words: 'no', since: 1_000_000 });
    expect(hub.tell({ type: 'contact' })).toEqual(FETCH);
    hub.fetched({ [main]: a, [own]: a });
    expect(hub.machine.trouble).toBeUndefined();
    hub.considered({ [main]: a });
    hub.ours({ [main]: b }, { [main]: a });
    hub.fail();
    expect((hub.machine.wakeAt ?? 0) - hub.now).toBe(2_000);
  });

  it('looks again after a push of which nothing is known, and tells the others where it had gone through', () => {
    const hub = new Hub();
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    hub.ours({ [main]: b }, { [main]: a });
    hub.fail();
    expect(hub.wake()).toEqual(FETCH);
    expect(hub.fetched({ [main]: b, [own]: b }).map(({ type }) => type)).toEqual(['announce', 'consider']);
    expect(hub.considered({ [main]: b }, { [main]: b })).toEqual([]);
  });

  it('leaves a hub that wants a person in peace: half an hour at least, whatever is committed or told meanwhile', () => {
    const hub = new Hub();
    hub.random = 0;
    hub.tell({ type: 'contact' });
    hub.fail('person');
    expect(hub.ours({ [main]: b })).toEqual([]);
    expect(hub.tell({ type: 'told' })).toEqual([]);
    expect(hub.machine.wakeAt).toBe(hub.now + 30 * 60_000);
    expect(hub.machine.trouble?.kind).toBe('person');
    expect(hub.tell({ type: 'contact' })).toEqual(FETCH);
  });

  it('does not offer again what the hub declined, until it changes here or a new contact', () => {
    const hub = new Hub();
    hub.known({ [main]: b }, { [main]: a }, { [main]: a });
    hub.pushed({ [own]: 'done', [main]: { declined: 'protected branch' } });
    expect(hub.machine.wakeAt).toBeUndefined();
    expect(hub.machine.declined).toEqual(new Map([[main, 'protected branch']]));
    expect(updatesOf(hub.ours({ [main]: b }, { [main]: a }))).toEqual([]);
    expect(updatesOf(hub.ours({ [main]: c }, { [main]: a })).map(({ ref }) => ref)).toEqual([own, main]);
    hub.pushed({ [own]: 'done', [main]: { declined: 'protected branch' } });
    hub.tell({ type: 'contact' });
    hub.fetched({ [main]: a, [own]: c });
    expect(updatesOf(hub.considered({ [main]: c }, { [main]: a })).map(({ ref }) => ref)).toEqual([main]);
  });

  it('asks nothing of a medium that is not there, and fetches at once when it comes back', () => {
    const hub = new Hub();
    hub.tell({ type: 'medium', isThere: false });
    expect(hub.tell({ type: 'contact' })).toEqual([]);
    expect(hub.ours({ [main]: a })).toEqual([]);
    expect(hub.machine.wakeAt).toBeUndefined();
    expect(hub.tell({ type: 'medium', isThere: true })).toEqual(FETCH);
    hub.tell({ type: 'medium', isThere: false });
    hub.fail();
    expect(hub.machine.wakeAt).toBeUndefined();
    expect(hub.tell({ type: 'medium', isThere: true })).toEqual(FETCH);
  });

  it('holds nothing against a hub for what broke off with its medium, though that ends after it is back', () => {
    const hub = new Hub();
    hub.tell({ type: 'contact' });
    hub.tell({ type: 'medium', isThere: false });
    expect(hub.tell({ type: 'medium', isThere: true })).toEqual([]);
    expect(hub.fail('person')).toEqual(FETCH);
    expect(hub.machine.trouble).toBeUndefined();
    hub.fail('person');
    expect(hub.machine.trouble).toMatchObject({ kind: 'person' });
  });

  it('holds against a hub what fails while its medium is there', () => {
    const hub = new Hub();
    hub.tell({ type: 'contact' });
    hub.tell({ type: 'medium', isThere: true });
    hub.fail('person');
    expect(hub.machine.trouble).toMatchObject({ kind: 'person' });
    const other = new Hub();
    other.known({ [main]: a }, { [main]: a, [own]: a });
    other.tell({ type: 'medium', isThere: false });
    expect(other.tell({ type: 'medium', isThere: true })).toEqual(FETCH);
    other.fail();
    expect(other.machine.trouble).toMatchObject({ kind: 'passing' });
  });

  it('asks for nothing else while what is here is compared with a branch that cannot go forward', () => {
    const hub = new Hub();
    hub.known({ [main]: b }, { [main]: a, [own]: b });
    hub.ours({ [main]: c });
    while (hub.machine.wakeAt !== undefined && !hub.machine.isBusy) hub.wake();
    hub.pushed({ [own]: 'done' });
    while (hub.machine.wakeAt !== undefined && !hub.machine.isBusy) hub.wake();
    expect(hub.machine.isBusy).toBe(true);
    expect(hub.tell({ type: 'contact' })).toEqual([]);
  });

  it('does not grow slower in what it is told by a look that nobody asked it for', () => {
    const hub = new Hub();
    const held = { [main]: a, [own]: a };
    hub.known({ [main]: a }, held);
    hub.tell({ type: 'told' });
    hub.wake();
    hub.fetched(held);
    hub.considered({ [main]: a });
    hub.known({ [main]: a }, held);
    hub.tell({ type: 'told' });
    expect(hub.machine.wakeAt).toBe(hub.now + TOLD_GAP_MS);
  });

  it('begins anew with its waits after a success that nobody asked for anew', () => {
    const hub = new Hub();
    hub.random = 1;
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    hub.tell({ type: 'told' });
    expect(hub.wake()).toEqual(FETCH);
    hub.fail();
    hub.wake();
    hub.fail();
    expect(hub.machine.wakeAt).toBe(hub.now + 4_000);
    hub.wake();
    hub.fetched({ [main]: a, [own]: a });
    hub.considered({ [main]: a });
    hub.tell({ type: 'told' });
    hub.wake();
    hub.fail();
    expect(hub.machine.wakeAt).toBe(hub.now + 2_000);
  });

  it('lets an automatic merge wait until the branch is quiet, though nobody else has moved it', () => {
    const hub = new Hub();
    hub.known({ [main]: a }, { [main]: a, [own]: a });
    const tips = { tips: refsOf({ [main]: b }), contained: refsOf({ [main]: a }) };
    expect(updatesOf(hub.tell({ type: 'ours', ...tips, automatic: new Set([main]) })).map(({ ref }) => ref)).toEqual([own]);
    hub.pushed({ [own]: 'done' });
    expect(hub.machine.wakeAt).toBe(hub.now + 10_000);
    expect(updatesOf(hub.wake()).map(({ ref }) => ref)).toEqual([main]);
  });

  it('never pushes where it may only fetch', () => {
    const hub = new Hub('fetch');
    expect(hub.known({ [main]: b }, { [main]: a }, { [main]: a })).toEqual([]);
    expect(hub.ours({ [main]: c }, { [main]: a })).toEqual([]);
    expect(hub.machine.wanted).toEqual([]);
    expect(hub.machine.wakeAt).toBeUndefined();
  });

  it('only lists the refs, and moves nothing here, where it may only push', () => {
    const hub = new Hub('push');
    expect(hub.tell({ type: 'contact' })).toEqual([{ type: 'fetch', isListing: true }]);
    expect(hub.fetched({ [main]: a })).toMatchObject([{ type: 'consider', mayMove: false }]);
    expect(updatesOf(hub.considered({ [main]: b }, { [main]: a })).map(({ ref }) => ref)).toEqual([own, main]);
    hub.pushed({ [own]: 'done', [main]: 'done' });
    expect(hub.tell({ type: 'told' })).toEqual([]);
  });

  it('pushes many refs in several pushes, one after another', () => {
    const hub = new Hub();
    const tips = Object.fromEntries(Array.from({ length: MAX_UPDATES + 7 }, (_none, index) => [`refs/tags/v${index}`, a]));
    const first = updatesOf(hub.known(tips, {}));
    expect(first).toHaveLength(MAX_UPDATES);
    const rest = updatesOf(hub.pushed(Object.fromEntries(first.map(({ ref }) => [ref, 'done' as const]))));
    expect(rest).toHaveLength(7);
  });

  it('never pushes a branch here that lies under synced/', () => {
    const hub = new Hub();
    expect(updatesOf(hub.known({ [others]: b }, {}))).toEqual([]);
  });
});
