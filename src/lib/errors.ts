// Every error that a person may see. Rule: a fault names what failed and what to do about it, and never holds a secret.

import { entryOf, isFaultCode } from './fault-catalogue.ts';
import type { FaultCode } from './fault-catalogue.ts';

export type { FaultCode } from './fault-catalogue.ts';

export interface FaultOptions {
  /** One sentence or command that mends it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error in words for people: `message` says what is wrong, `remedy` what to do. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly remedy: string | undefined;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.remedy = options.remedy;
  }

  /** As the catalogue has it: 2 for wrong use of a command (docs/git-xmpp.1, exit codes). */
  get exitCode(): 1 | 2 | 3 {
    return entryOf(this.code).exitCode;
  }
}

/** A value from outside that may not be used; `what` names it, `why` says what is wrong with it. */
export class InputFault extends Fault {
  constructor(what: string, why: string, options: FaultOptions = {}) {
    super('bad-input', `${what}: ${why}`, options);
    this.name = 'InputFault';
  }
}

/** Turns anything thrown into a fault; a system error keeps its own code's meaning. */
export function asFault(error: unknown, doing: string): Fault {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault('disk-full', `${doing}: no space is left on the device`, {
      remedy: 'free some space, then try again; nothing was half done',
      cause: error,
    });
  }
  if (code === 'EROFS') {
    return new Fault('permissions', `${doing}: the file system is read-only`, { remedy: 'mount it so that it may be written to, then try again', cause: error });
  }
  // What `mkdir` of node:fs says with `recursive` on a read-only disk, too (libuv tells what a look at the folder gave).
  if (code === 'ENOENT' && syscallOf(error) === 'mkdir') {
    return new Fault('permissions', `${doing}: a folder could not be made: the file system is read-only, or the folder above it is gone`, { remedy: 'mount it so that it may be written to, then try again', cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM') return new Fault('permissions', `${doing}: permission denied`, { cause: error });
  if (code === 'EMFILE' || code === 'ENFILE') return new Fault('too-many-files', `${doing}: too many files are open`, { cause: error });
  return new Fault('internal', `${doing}: ${messageOf(error)}`, { cause: error });
}

function syscallOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'syscall' in error ? error.syscall : undefined;
}

/** The `code` of a system error (`ENOENT`, …), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The words of anything that was thrown; of an object that is no error there are none, and it may not even have a text. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'object' && error !== null ? 'something that is no error was thrown' : String(error);
}

/** What crosses the agent's door and the log: no stack, no cause. */
export interface FaultRecord {
  readonly code: FaultCode;
  readonly message: string;
  readonly remedy?: string;
}

/** A fault as plain data. */
export function formatFault(fault: Fault): FaultRecord {
  const { code, message, remedy } = fault;
  return remedy === undefined ? { code, message } : { code, message, remedy };
}

/** What to do about a fault: its own words, else those of the catalogue. */
export function remedyOf({ code, remedy }: Fault | FaultRecord): string {
  return remedy ?? entryOf(code).remedy.replaceAll('`', '');
}

/** How every executable says a fault: `git-xmpp: [peer-offline] what is wrong`, then what to do, indented. */
export function formatFaultLines(fault: Fault | FaultRecord): string[] {
  return [`git-xmpp: [${fault.code}] ${tame(fault.message)}`, ...tame(remedyOf(fault)).split('\n').map((line) => `  ${line}`)];
}

/** Words may come from a peer or a server: nothing in them moves the cursor or colours what follows. */
function tame(words: string): string {
  return words.replace(/[^\P{Cc}\n\t]/gu, '?');
}

/** The last fault that was said so in `text`, such as the log of an agent that ended; undefined when none was. */
export function parseFaultLines(text: string): FaultRecord | undefined {
  const lines = text.split('\n');
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const [, code, message = ''] = /^git-xmpp: \[([a-z-]+)\] (.*)$/.exec(lines[at] ?? '') ?? [];
    if (!isFaultCode(code)) continue;
    const after = lines.slice(at + 1);
    const end = after.findIndex((line) => !line.startsWith('  '));
    const remedy = (end < 0 ? after : after.slice(0, end)).map((line) => line.slice(2)).join('\n');
    return remedy === '' ? { code, message } : { code, message, remedy };
  }
  return undefined;
}
