// Every error that a person may see. Rule: a fault names what failed and what to do about it, and never holds a secret.

/** Stable names of what can go wrong; scripts and specs match on these, people read the message. */
export type FaultCode =
  | 'wrong-use'
  | 'bad-input'
  | 'bad-config'
  | 'no-account'
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'no-encryption'
  | 'no-mechanism'
  | 'wrong-password'
  | 'conflict'
  | 'throttled'
  | 'server'
  | 'timeout'
  | 'not-connected'
  | 'too-large'
  | 'no-such-peer'
  | 'no-such-repo'
  | 'not-paired'
  | 'peer-offline'
  | 'newer-protocol'
  | 'bad-code'
  | 'code-spent'
  | 'not-a-repository'
  | 'refused-repository'
  | 'not-granted'
  | 'exists'
  | 'git'
  | 'disk-full'
  | 'permissions'
  | 'already-running'
  | 'agent'
  | 'internal';

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

  /** 2 for wrong use of a command, else 1 (docs/git-xmpp.1, exit codes). */
  get exitCode(): 1 | 2 {
    return this.code === 'wrong-use' || this.code === 'no-account' ? 2 : 1;
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
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new Fault('permissions', `${doing}: permission denied`, { cause: error });
  }
  return new Fault('internal', `${doing}: ${messageOf(error)}`, { cause: error });
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
