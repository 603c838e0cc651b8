// When a branch may be pushed to a hub (hub-branches.ts). Rule: at once where nobody moved it lately, else once our tip has been quiet; what is
// refused, follows itself in quick succession, or says nothing new again and again, waits ever longer. Times are in milliseconds.

/** A branch that somebody else moved less than this many milliseconds ago is contested. */
const CONTESTED_MS = 15_000;
/** A contested branch waits until our tip has been the same for a random time from the first to the second, in milliseconds. */
const QUIET_MS: readonly [number, number] = [5_000, 15_000];
/** So many pushes of one branch in quick succession, after the first, wait for nothing. */
const FREE_PUSHES = 2;
/** Beyond so many refusals in a row the wait grows no more: 5.3 minutes to 16. */
const MAX_DOUBLINGS = 6;

/**
 * A merge of which the hub lacks nothing but itself waits this many times longer with each that follows another: in this many steps at most, which is
 * 1.4 hours to 4.3.
 */
const IDLE_FACTOR = 4;
const MAX_IDLE_STEPS = 5;

/** What is remembered of one ref's moves. */
export interface Pace {
  /** When our tip of it last changed. */
  changedAt: number;
  /** When somebody else was last seen to have moved it. */
  movedAt: number | undefined;
  /** When we moved it last, and how often before that in quick succession. */
  pushedAt: number;
  streak: number;
  /** How often in a row our tip became a merge that holds nothing of a person's that the hub lacks. */
  idle: number;
  /** Refusals in a row, and when the last was. */
  refusals: number;
  refusedAt: number;
  /** Quiet time that was drawn for our tip. */
  wait: number;
}

/** The moment, and chance from 0 up to 1. */
export interface Moment {
  readonly now: number;
  readonly random: () => number;
}

export function newPace(): Pace {
  return { changedAt: 0, movedAt: undefined, pushedAt: -Infinity, streak: 0, idle: 0, refusals: 0, refusedAt: 0, wait: 0 };
}

/**
 * Our tip is another one.
 * @param isIdle whether it is a merge that holds nothing of a person's that the hub lacks. Pushed, it is solid and has to be merged in turn by whoever has
 * merged otherwise meanwhile; so in a row of them each waits ever longer, and sooner or later one is known everywhere before another is pushed
 * (docs/CONVERGENCE.md, "Hubs")
 */
export function noteChanged(pace: Pace, { now, random }: Moment, isIdle: boolean): void {
  pace.changedAt = now;
  pace.idle = isIdle ? pace.idle + 1 : 0;
  drawWait(pace, random());
}

/** Somebody was faster. */
export function noteRefused(pace: Pace, { now, random }: Moment): void {
  pace.movedAt = now;
  pace.refusedAt = now;
  pace.refusals += 1;
  drawWait(pace, random());
}

/**
 * What is pushed is solid from then on, an automatic merge too. Two hubs that each got a merge over the other's last one at once would
 * never end: so our own pushes in quick succession count like somebody else's after a few, and wait ever longer.
 */
export function notePushed(pace: Pace, now: number): void {
  pace.streak = now - pace.pushedAt < 2 * contestedMs(pace) ? pace.streak + 1 : 0;
  pace.pushedAt = now;
}

/**
 * When the ref may be pushed.
 * @param what.isOwn whether nobody else moves it
 * @param what.isAutomatic whether our tip is an automatic merge: it becomes solid at the hub, so it waits until it is likely to be the last
 */
export function dueAt(pace: Pace, { isOwn, isAutomatic }: { readonly isOwn: boolean; readonly isAutomatic: boolean }): number {
  if (pace.refusals > 0) return Math.max(pace.refusedAt, isOwn ? 0 : pace.changedAt) + pace.wait;
  if (isAutomatic && !isOwn) return pace.changedAt + pace.wait;
  const movedAt = Math.max(pace.movedAt ?? -Infinity, pace.streak > FREE_PUSHES ? pace.pushedAt : -Infinity);
  return isOwn || movedAt === -Infinity ? 0 : Math.min(pace.changedAt + pace.wait, movedAt + contestedMs(pace));
}

/** How often the wait doubles for our own haste. */
function hurryOf({ streak }: Pace): number {
  return Math.min(MAX_DOUBLINGS, Math.max(0, streak - FREE_PUSHES));
}

/** How long after a move the branch is contested. */
function contestedMs(pace: Pace): number {
  return CONTESTED_MS * 2 ** hurryOf(pace);
}

function drawWait(pace: Pace, random: number): void {
  const [least, most] = QUIET_MS;
  const hurry = 2 ** Math.min(pace.refusals + hurryOf(pace), MAX_DOUBLINGS);
  const patience = IDLE_FACTOR ** Math.min(pace.idle, MAX_IDLE_STEPS);
  pace.wait = Math.round((least + (most - least) * random) * Math.max(hurry, patience));
}
