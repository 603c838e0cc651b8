// A question that the client has put to the agent, and the reading of what comes back.
// Rule: every wait is under the deadline, and every way to fail has its own sentence.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import { concatBytes } from '../lib/bytes.ts';
import { realClock, withDeadline } from '../lib/clock.ts';
import { MAX_ANSWER_BYTES, parseFault } from './door-format.ts';
import { LineDecoder, parseJson } from './lines-format.ts';

/** Errors of connect(2) that mean that nobody listens there. */
const ABSENT: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'];

/** Whether `error` says that no agent runs (so that one may be started), and not that one failed. */
export function isAgentAbsent(error: unknown): boolean {
  return error instanceof Fault && error.code === 'agent' && ABSENT.includes(codeOf(error.cause) ?? '');
}

/** A question that is under way. */
export class Asked {
  readonly sent: ClientRequest;
  readonly response: Promise<IncomingMessage>;
  readonly #what: string;
  readonly #deadlineMs: number;

  constructor(sent: ClientRequest, { what, deadlineMs }: { readonly what: string; readonly deadlineMs: number }) {
    this.sent = sent;
    this.#what = what;
    this.#deadlineMs = deadlineMs;
    this.response = new Promise((resolve, reject) => {
      sent.once('response', resolve);
      sent.on('error', reject);
    });
    this.response.catch(() => undefined);
  }

  /** Does `work` under the deadline; what fails ends the question and comes out as a fault. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    const late = (): Fault => new Fault('timeout', `the agent did not answer ${this.#what} within ${this.#deadlineMs / 1000} s`);
    try {
      return await withDeadline(work(), this.#deadlineMs, realClock, late);
    } catch (error) {
      this.sent.destroy();
      throw this.#fault(error);
    }
  }

  /** The same values; what fails among them comes out as a fault. */
  async *watched(values: AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
    try {
      yield* values;
    } catch (error) {
      throw this.#fault(error);
    }
  }

  #fault(error: unknown): Fault {
    if (error instanceof Fault) return error;
    const code = codeOf(error) ?? '';
    if (code === 'ABORT_ERR') return new Fault('agent', `${this.#what} was given up`, { cause: error });
    if (code === 'EACCES' || code === 'EPERM') return asFault(error, "opening the agent's socket");
    if (ABSENT.includes(code)) {
      return new Fault('agent', 'no agent runs for this home', { remedy: 'start it with: git xmpp daemon start', cause: error });
    }
    const lost = `the agent went away before it answered ${this.#what}`;
    return new Fault('agent', lost, { remedy: 'its log in the home says why: GIT_XMPP_HOME, or ~/.config/git-xmpp', cause: error });
  }
}

/** The value of a whole answer. @throws Fault the one that the agent answered */
export async function parseAnswer(response: IncomingMessage): Promise<unknown> {
  const bytes = await readAll(response);
  if (response.statusCode === 204) return undefined;
  const value = parseJson(bytes);
  if (response.statusCode === 200) return value;
  throw parseFault(value) ?? new Fault('agent', `the agent answered ${String(response.statusCode)} without a reason`);
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response) {
    if (!(part instanceof Uint8Array)) continue;
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Fault('too-large', `the agent answered more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return concatBytes(parts);
}

/** The values of an answer in lines, as they come. @throws Fault the one in its last line */
export async function* decodeLines(response: IncomingMessage): AsyncGenerator<unknown, void> {
  const decoder = new LineDecoder();
  for await (const part of response) {
    if (!(part instanceof Uint8Array)) continue;
    for (const value of decoder.receive(part)) {
      const fault = parseFault(value);
      if (fault !== undefined) throw fault;
      yield value;
    }
  }
  if (decoder.isInLine) throw new Fault('agent', 'the agent stopped in the middle of a line');
}
