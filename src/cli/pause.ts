// `git xmpp pause | resume` (docs/git-xmpp.1). Rule: what is said is how it stands now, and the command that undoes it.

import { resolve } from 'node:path';
import type { PauseAnswer } from '../agent/answers.ts';
import type { Door } from './door.ts';
import { say } from './out.ts';

export interface PauseOptions {
  /** Path of a shared repository; absent for everything. */
  readonly repo?: string;
}

export async function pause(door: Door, duration: string | undefined, options: PauseOptions): Promise<void> {
  const answer = await door.ask<PauseAnswer>('POST', '/pause', { ...pathOf(options), ...(duration === undefined ? {} : { duration }) });
  say(`${answer.repo ?? 'everything'} is ${answer.pause?.words ?? 'paused'}`);
  say(`to go on before: git xmpp resume${options.repo === undefined ? '' : ` --repo ${options.repo}`}`);
}

export async function resume(door: Door, options: PauseOptions): Promise<void> {
  const { repo, hasChanged, pause: left } = await door.ask<PauseAnswer>('POST', '/resume', pathOf(options));
  if (left !== undefined) return say(`${repo ?? 'everything'} is still ${left.words}`);
  say(hasChanged ? `${repo ?? 'everything'} goes on` : `${repo ?? 'nothing'} was ${repo === undefined ? '' : 'not '}paused`);
}

function pathOf({ repo }: PauseOptions): { readonly path?: string } {
  return repo === undefined ? {} : { path: resolve(repo) };
}
