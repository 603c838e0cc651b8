// The command `git xmpp`: words in, words out (docs/git-xmpp.1). Rule: nothing is decided here; each command is declared in src/cli/commands/
// and lives in its own file, and a wrong use says which, with exit code 2.

import { dirname } from 'node:path';
import { CommanderError } from 'commander';
import { programFolder } from '../home/service-plan.ts';
import type { CommandSpec, Context, Given } from './command.ts';
import { COMMANDS } from './commands.ts';
import { Door } from './door.ts';
import type { World } from './door.ts';
import { endWithReader, tellFault } from './out.ts';
import { buildProgram, faultOfUsage } from './program.ts';

const called = process.argv[1] ?? '';
const world: World = { env: process.env, cwd: process.cwd(), distDir: programFolder(called), binDir: dirname(called) };
const context: Context = { world, door: () => new Door(world), commands: COMMANDS };

async function act(spec: CommandSpec, given: Given): Promise<void> {
  if (spec.needsAccount) await (await import('./account.ts')).needAccount(context.door());
  await spec.run(context, given);
}

/** Does what `typed` says; without a word, shows how things stand. */
async function obey(typed: readonly string[]): Promise<void> {
  if (typed.length === 0) return (await import('./status.ts')).overview(context.door());
  const version = process.env['GIT_XMPP_VERSION'] ?? 'unbuilt';
  // Commander is told of the others only where one has to be guessed, or all are shown: that takes as long as some commands do.
  const meant = COMMANDS.filter(({ name }) => name === typed[0]);
  await buildProgram({ commands: meant.length > 0 ? meant : COMMANDS, version, columns: process.stdout.columns, act }).parseAsync(typed, { from: 'user' });
}

async function main(): Promise<void> {
  endWithReader();
  const typed = process.argv.slice(2);
  try {
    await obey(typed);
  } catch (error) {
    const fault = error instanceof CommanderError ? faultOfUsage(error, typed, COMMANDS) : error;
    process.exitCode = fault === undefined ? 0 : tellFault(fault, typed.includes('--json')).exitCode;
  }
}

void main();
