// What a server is like once signed in, measured and not believed: delay, rate, clock, PEP (XEP-0199, XEP-0202, XEP-0163).
// Rule: little is sent and never much at once, all of it to oneself, and what was put somewhere is taken away again.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { domainOf } from '../lib/jid.ts';
import type { Connection } from './connection-types.ts';
import { xml } from './element.ts';
import type { Element } from './element.ts';
import { NS_DOCTOR, NS_PING, NS_TIME } from './namespaces.ts';
import { publish, read, remove } from './pep.ts';
import { StanzaFault } from './stanza-fault.ts';

type Stream = Pick<Connection, 'iq' | 'handleIq' | 'jid'>;

export interface Measured {
  /** Round trip to the server while nothing else moves, in milliseconds. */
  readonly delayMs: number;
  /** Bytes a second of payload, there and back to oneself; before base64. */
  readonly rate: number;
  /** Payload that went through. */
  readonly bytes: number;
  /** Slowest answer while the blocks went through, in milliseconds. */
  readonly loadedMs: number;
}

const PINGS = 3;
/** As the in-band carrier's, before base64: every server takes it. */
const BLOCK_BYTES = 4096;
/** So much is under way at once: less than any server holds back for one client. */
const WINDOW = 4;
/** A burst that ejabberd lets through untouched is 20 000 bytes; more has to follow it before a limit shows. */
const LEAST_BYTES = 48 * 1024;
const MOST_BYTES = 256 * 1024;
const ANSWER_MS = 15_000;
/** No block is sent after this. */
const LONGEST_MS = 6_000;

/** Measures delay and rate in-band, by requests to the own address. @throws Fault `timeout`, a stanza error, the connection's own */
export async function measureInBand(stream: Stream, clock: Clock): Promise<Measured> {
  const ping = async (): Promise<number> => {
    const since = clock.now();
    await stream.iq('get', domainOf(stream.jid), xml('ping', { xmlns: NS_PING }), { timeoutMs: ANSWER_MS }).catch(ignoreRefusal);
    return clock.now() - since;
  };
  const delays: number[] = [];
  for (let count = 0; count < PINGS; count += 1) delays.push(await ping());
  const stop = stream.handleIq(NS_DOCTOR, 'block', () => Promise.resolve(undefined));
  try {
    return { delayMs: Math.max(0, Math.min(...delays)), ...(await sendBlocks(stream, clock)) };
  } finally {
    stop();
  }
}

/** A server without XEP-0199 answers too. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof StanzaFault)) throw error;
}

async function sendBlocks(stream: Stream, clock: Clock): Promise<Omit<Measured, 'delayMs'>> {
  const payload = 'A'.repeat(Math.ceil(BLOCK_BYTES / 3) * 4);
  const since = clock.now();
  let sent = 0;
  const acked: { readonly at: number; readonly tookMs: number }[] = [];
  const mayGoOn = (): boolean => {
    const tookMs = clock.now() - since;
    return sent < MOST_BYTES && tookMs < LONGEST_MS && (sent < LEAST_BYTES || tookMs < 1_000);
  };
  const lane = async (): Promise<void> => {
    while (mayGoOn()) {
      sent += BLOCK_BYTES;
      const at = clock.now();
      await stream.iq('set', stream.jid, xml('block', { xmlns: NS_DOCTOR }, payload), { timeoutMs: ANSWER_MS });
      acked.push({ at: clock.now(), tookMs: clock.now() - at });
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
  return { rate: rateOf(acked.map(({ at }) => at), since), bytes: acked.length * BLOCK_BYTES, loadedMs: Math.max(0, ...acked.map(({ tookMs }) => tookMs)) };
}

/** Of the second half alone: what a server lets through in one burst says nothing of its rate. */
function rateOf(times: readonly number[], since: number): number {
  const half = Math.floor(times.length / 2);
  const from = times[half - 1] ?? since;
  const tookMs = Math.max(1, (times.at(-1) ?? since) - from);
  return Math.round(((times.length - half) * BLOCK_BYTES * 1000) / tookMs);
}

/**
 * How far the server's clock is ahead of this machine's, in milliseconds, give or take half a round trip (`within`).
 * @returns undefined when the server does not tell its time
 */
export async function measureSkew(stream: Stream, clock: Clock): Promise<{ readonly aheadMs: number; readonly withinMs: number } | undefined> {
  const since = clock.now();
  try {
    const answer = await stream.iq('get', domainOf(stream.jid), xml('time', { xmlns: NS_TIME }), { timeoutMs: ANSWER_MS });
    const until = clock.now();
    return { aheadMs: Math.round(parseTime(answer) - (since + until) / 2), withinMs: Math.ceil((until - since) / 2) + 500 };
  } catch (error) {
    if (error instanceof StanzaFault) return undefined;
    throw error;
  }
}

/** XEP-0082 in UTC; with the second's middle where it has no fraction. @throws InputFault */
function parseTime(answer: Element | undefined): number {
  const text = answer?.is('time', NS_TIME) === true ? (answer.getChildText('utc') ?? '') : '';
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.exec(text);
  const at = Date.parse(text);
  if (match === null || Number.isNaN(at)) throw new InputFault("the server's time", 'is none of XEP-0082');
  return match[1] === undefined ? at + 500 : at;
}

/** Puts an item on the own account, reads it back, and takes it away. @throws Fault `server` without PEP */
export async function tryPep(stream: Stream, account: Parameters<typeof read>[1], mark: string): Promise<void> {
  const node = `${NS_DOCTOR}#${mark}`;
  try {
    await publish(stream, node, xml('mark', { xmlns: NS_DOCTOR }, mark), { access: 'whitelist' });
    const found = await read(stream, account, node);
    if (found?.getText() !== mark) throw new Fault('server', 'the XMPP server gave back another item than it was given', { remedy: "ask the server's operator" });
  } finally {
    await remove(stream, node).catch(() => undefined);
  }
}
