// How an agent's process begins and ends: who started it, where its words go, what program it is, and what comes after it (docs/decisions/0047-a-service-of-ones-own.md).
// Rule: whoever started it is told by exit code what to do next, and of two programs on one home the first has let go before the second begins.

import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { LogFile } from '../home/log-file.ts';
import { BACKGROUND, formatJournalLine, START_AGAIN, SUPERVISED } from '../home/service-format.ts';

/** `service`: a supervisor starts it again. `background`: nobody does. `foreground`: a person, or a container, sees it end. */
export type StartedBy = 'service' | 'background' | 'foreground';

export function startedBy(argv: readonly string[]): StartedBy {
  if (argv.includes(SUPERVISED)) return 'service';
  return argv.includes(BACKGROUND) ? 'background' : 'foreground';
}

/**
 * Writes a line of the log to its file, and to standard error where that is another: there in the journal's form where it is the journal (systemd.exec(5),
 * "$JOURNAL_STREAM").
 */
export function logWriter(env: Readonly<Record<string, string | undefined>>, file: Pick<LogFile, 'isSame' | 'write'>): (line: string) => void {
  if (file.isSame(2)) return (line) => file.write(line);
  const { dev, ino } = fstatSync(2, { bigint: true });
  const isJournal = env['JOURNAL_STREAM'] === `${dev}:${ino}`;
  return (line) => {
    file.write(line);
    process.stderr.write(`${isJournal ? formatJournalLine(line) : line}\n`);
  };
}

/** Tells one file from the next one of its name; undefined where there is none. */
export async function markOf(file: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Ends this process, which has let go of everything, so that the newer program runs next. */
export function handOver(by: StartedBy): void {
  if (by === 'service') process.exit(START_AGAIN);
  const [, program = '', ...args] = process.argv;
  spawn(process.execPath, [program, ...args], { detached: true, cwd: '/', stdio: ['ignore', 2, 2] }).unref();
  process.exit(0);
}
