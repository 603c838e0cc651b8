// One step of the demo, and how it is played. Rule: it ends well, or it fails with what was expected; it never goes on for ever.

import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';

/** A line of the table at the end; times in milliseconds. */
export interface Row {
  readonly what: string;
  readonly took: number;
  /** The same by git over OpenSSH: undefined where no sshd is. */
  readonly beside?: { readonly took: number | undefined; readonly what: string };
}

export interface Outcome {
  readonly words: string;
  readonly rows: readonly Row[];
}

export interface Act {
  readonly name: string;
  /** What has to come of it; told when it does not. */
  readonly expects: string;
  play(stage: Stage, screen: Screen): Promise<Outcome>;
}

/** An act that did not end as it should. */
export class Failure extends Error {
  readonly act: Pick<Act, 'name' | 'expects'>;

  constructor(act: Pick<Act, 'name' | 'expects'>, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.act = act;
  }
}

const DEADLINE_MS = 120_000;

/** Plays one act and says how long it took. @throws Failure */
export async function perform<T extends { readonly words: string }>(
  act: Pick<Act, 'name' | 'expects'>,
  screen: Screen,
  play: () => Promise<T>,
): Promise<T> {
  screen.act(act.name);
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came of it within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  });
  try {
    const outcome = await Promise.race([play(), late]);
    screen.done(outcome.words, performance.now() - start);
    return outcome;
  } catch (error) {
    throw new Failure(act, error);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws with `words` unless it is so */
export function check(isSo: boolean, words: string): void {
  if (!isSo) throw new Error(words);
}

/** How long `work` takes, in milliseconds, and what came of it. */
export async function timed<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now();
  const value = await work;
  return { ms: performance.now() - start, value };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
}
