// What bash, zsh and fish offer when a person presses tab. Rule: the real shells, with their own completion of git beside ours.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Device } from './device.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const FIXTURES = path.join(import.meta.dirname, '../fixtures/shells');
/** Comes with git. */
const GIT_COMPLETION = '/usr/share/bash-completion/completions/git';

const COMMAND_LINES: Readonly<Record<Shell, readonly string[]>> = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] };

/** What a shell offers at the end of each line, sorted; the lines are completed one after another in one shell. */
export async function offersOf(shell: Shell, device: Device, lines: readonly string[]): Promise<Record<string, string[]>> {
  const script = device.path(`completion.${shell}`);
  await writeFile(script, (await device.xmpp('completion', shell)).stdout);
  const args = [...COMMAND_LINES[shell], path.join(FIXTURES, `complete.${shell}`), script, ...(shell === 'bash' ? [GIT_COMPLETION] : [])];
  const { code, stdout, stderr } = await device.run(shell, args, { input: lines.map((line) => `${line}\n`).join('') });
  if (code !== 0) throw new Error(`${shell} ended with ${code}: ${stderr}`);
  return Object.fromEntries(stdout.split('== ').slice(1).map(parseOffer));
}

function parseOffer(text: string): readonly [string, string[]] {
  const [line = '', ...rest] = text.replaceAll('\r', '').split('\n');
  const offered = rest.flatMap((row) => /^<(.*)>$/.exec(row)?.[1] ?? []);
  return [line, [...new Set(offered)].sort((one, other) => (one < other ? -1 : 1))];
}
