// One source's tips beside ours: facts for the plan, and what it says carried out. Rule: shaped like src/agent/consider.ts; ancestry comes from
// the world's commits, every decision from src/sync.

import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import type { Tip } from '../../src/sync/join.ts';
import type { BranchFacts } from '../../src/sync/plan.ts';
import type { Book } from './books.ts';
import type { Commits } from './commits.ts';
import type { SimDevice } from './device.ts';
import type { Refs } from './disk.ts';

/** Whose tips are considered. */
export interface Source {
  readonly id: DeviceId | `hub:${string}` | `synced:${string}`;
  readonly refs: Refs;
  readonly isOwn: boolean;
  /** A hub stands on what it holds, automatic merges too. */
  readonly isHub: boolean;
}

interface Tips {
  readonly ref: RefName;
  readonly ours: Oid | undefined;
  readonly theirs: Oid | undefined;
  readonly acted: Oid | undefined;
}

type Outcome = 'moved' | 'nothing' | 'waits';

/** Carries out what the plan says for each branch. */
export function considerSource(device: SimDevice, source: Source): { readonly didMove: boolean; readonly isWaiting: boolean } {
  const acted = device.disk.acted.get(source.id) ?? new Map<RefName, Oid>();
  const settled = new Map<RefName, Oid>();
  let [didMove, isWaiting] = [false, false];
  for (const ref of new Set([...source.refs.keys(), ...acted.keys()])) {
    if (!ref.startsWith('refs/heads/')) continue;
    const tips = { ref, ours: device.ours?.get(ref), theirs: source.refs.get(ref), acted: acted.get(ref) };
    const outcome = tips.ours === tips.theirs ? 'nothing' : takeBranch(device, source, tips);
    if (outcome === 'moved') didMove = true;
    if (outcome === 'waits') isWaiting = true;
    const keep = outcome === 'waits' ? tips.acted : tips.theirs;
    if (keep !== undefined) settled.set(ref, keep);
  }
  device.disk.acted.set(source.id, settled);
  return { didMove, isWaiting };
}

function takeBranch(device: SimDevice, source: Source, tips: Tips): Outcome {
  const plan = device.world.decisions.planBranch(readFacts(device, source, tips), device.policy);
  switch (plan.do) {
    case 'nothing':
      return 'nothing';
    case 'wait':
      return 'waits';
    case 'join':
      return join(device, source, tips);
    case 'delete':
      return 'nothing';
    case 'create':
    case 'fast-forward':
    case 'follow':
      return move(device, tips, { to: tips.theirs, mayLeave: plan.do === 'follow' });
  }
}

/** The same steps as the agent's: both tips, the candidates, the maximal ones of them, the decision. */
function join(device: SimDevice, source: Source, tips: Tips): Outcome {
  const { commits, decisions } = device.world;
  const { ref, ours, theirs } = tips;
  if (ours === undefined || theirs === undefined) return 'nothing';
  if (source.isHub) noteHub(device, ref, { ours, theirs });
  const { marks } = device.policy.rewrite === 'ask' ? device.disk.ownBook : device.disk.book;
  const tipOf = (oid: Oid, isSolid: boolean): Tip => ({ oid, solids: isSolid || decisions.isHeld(marks, ref, oid) ? [oid] : solidsOf(commits, oid) });
  const [one, other] = [tipOf(ours, false), tipOf(theirs, source.isHub)];
  const candidates = decisions.joinCandidates(one, other, (oid) => decisions.isLeft(marks, ref, oid));
  const joined = decisions.decideJoin(one, other, commits.maximal(candidates));
  if (joined.do === 'keep') return 'nothing';
  return move(device, tips, { to: joined.do === 'move' ? joined.to : commits.merge(joined.parents, device.git), mayLeave: true });
}

function solidsOf(commits: Commits, oid: Oid): readonly Oid[] {
  return commits.isAutomatic(oid) ? commits.parents(oid) : [oid];
}

/** A hub only goes forward: what it holds is not left, whoever wanted that; and where it stands on a merge that is ours too, it stays. */
function noteHub(device: SimDevice, ref: RefName, { ours, theirs }: { readonly ours: Oid; readonly theirs: Oid }): void {
  const { books, commits, decisions } = device.world;
  const { disk } = device;
  const gone = [disk.book, disk.ownBook].flatMap(({ marks }) => [...(marks.get(ref) ?? [])].filter(([, { isLeft }]) => isLeft));
  const back = gone.map(([oid]) => oid).filter((oid) => commits.isWithin(oid, theirs));
  const tipOf = (oid: Oid): Tip => ({ oid, solids: solidsOf(commits, oid) });
  const held = decisions.isRival(tipOf(ours), tipOf(theirs)) ? [theirs] : [];
  if (back.length + held.length === 0) return;
  const note = (book: Book): Book => books.store(decisions.noteMove(book.marks, { ref, left: [], back, held, stamp: device.clock }));
  disk.book = note(disk.book);
  disk.ownBook = note(disk.ownBook);
}

/** The one safe path: from what was looked at, to the new tip, or not at all. */
function move(device: SimDevice, { ref, ours }: Tips, { to, mayLeave }: { readonly to: Oid | undefined; readonly mayLeave: boolean }): Outcome {
  const { disk, world, complaints } = device;
  const { commits } = world;
  if (to === undefined || to === ours) return 'nothing';
  if (disk.branches.get(ref) !== ours) return 'waits';
  if (ours !== undefined && device.busyUntil > world.now) return 'waits';
  if (ours !== undefined && !commits.isWithin(ours, to)) {
    if (!mayLeave) complaints.push(`${ref} moved from ${ours} to ${to}, which does not contain it`);
    if (commits.list(ours, to).length > 0) disk.kept.add(ours);
  }
  if (device.policy.merge === 'none') complaints.push(`${ref} moved under the policy none`);
  disk.branches.set(ref, to);
  device.seen.set(ref, to);
  world.movedAt = world.now;
  return 'moved';
}

function readFacts(device: SimDevice, source: Source, { ref, ours, theirs, acted }: Tips): BranchFacts {
  const { commits } = device.world;
  const isWithin = (older: Oid | undefined, newer: Oid | undefined): boolean => older !== undefined && newer !== undefined && commits.isWithin(older, newer);
  const [isBehind, isAhead] = [isWithin(ours, theirs), isWithin(theirs, ours)];
  const moves = device.disk.left.get(ref) ?? [];
  return {
    ours,
    theirs,
    acted,
    relation: isBehind ? 'behind' : isAhead ? 'ahead' : 'diverged',
    isOursInActed: !isBehind && isWithin(ours, acted),
    wasLeft: !isAhead && moves.some(({ from, to }) => isWithin(theirs, from) && !isWithin(theirs, to)),
    isUnborn: false,
    isOwnDevice: source.isOwn,
  };
}
