// What is told of a move that a crash had broken off (git/recover.ts). Rule: pure; says what became of it, and of what.

import type { Recovered } from '../git/recover.ts';

export function recoveredWords(found: Exclude<Recovered, undefined>): string {
  if ('stopped' in found) return found.stopped;
  if ('finished' in found) return `finished what a crash left of ${found.finished}`;
  return `undid what a crash left half done of ${found.undone}, for a file has been changed since`;
}
