// Both halves of the SOCKS5 handshake (RFC 1928 §3 to §6) as SOCKS5 Bytestreams use it (XEP-0065 §5.3.2, §6.3): no
// authentication, CONNECT to a name of 40 hex digits, port 0. Rule: at most one message is held at a time, each within the length
// it may have; the first wrong byte ends the handshake, and bytes behind it belong to the stream.

import { Buffer } from 'node:buffer';
import { InputFault } from '../lib/errors.ts';

/** What to do after some bytes came in. */
export interface Socks5Step {
  /** Bytes to send now; empty when there are none. */
  readonly send: Uint8Array;
  /** `refused`: send, then end the connection. */
  readonly state: 'going' | 'done' | 'refused';
  /** Once done, the bytes of the stream that came with the last ones of the handshake. */
  readonly rest: Uint8Array;
  /** Why it was refused, in words for the log; else empty. */
  readonly why: string;
}

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const NO_METHOD = 0xff;
const CONNECT = 1;
const ATYP_IPV4 = 1;
const ATYP_NAME = 3;
const ATYP_IPV6 = 4;
const NAME_LENGTH = 40;
const REPLY = { succeeded: 0, failure: 1, notAllowed: 2, commandUnknown: 7, addressTypeUnknown: 8 };
const REPLY_WORDS: readonly string[] = [
  'succeeded',
  'general failure',
  'not allowed',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
];
const NOTHING = new Uint8Array(0);
const GOING: Socks5Step = { send: NOTHING, state: 'going', rest: NOTHING, why: '' };

/** Holds what came until a message is whole. */
class Held {
  #bytes: Uint8Array = NOTHING;

  get length(): number {
    return this.#bytes.length;
  }

  push(bytes: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
  }

  /** The byte at `index`; undefined when it is not there yet. */
  at(index: number): number | undefined {
    return this.#bytes[index];
  }

  has(length: number): boolean {
    return this.#bytes.length >= length;
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

/** The half that asks. It never sends before it was answered: Prosody's proxy wants each message in one read of its own. */
export class Socks5Client {
  readonly #name: string;
  readonly #held = new Held();
  #state: 'new' | 'greeted' | 'asked' | 'over' = 'new';

  /** @param name 40 lower-case hex digits */
  constructor(name: string) {
    this.#name = name;
  }

  /** The first bytes to send. */
  start(): Uint8Array {
    this.#state = 'greeted';
    return Uint8Array.of(VERSION, 1, NO_AUTHENTICATION);
  }

  /** @throws InputFault when the answer is wrong or a refusal; the handshake is over then */
  receive(bytes: Uint8Array): Socks5Step {
    try {
      if (this.#state !== 'greeted' && this.#state !== 'asked') throw new InputFault('SOCKS5', 'bytes came out of turn');
      this.#held.push(bytes);
      return this.#state === 'greeted' ? this.#readMethod() : this.#readReply();
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  #readMethod(): Socks5Step {
    check(this.#held.at(0) ?? VERSION, VERSION, 'the version');
    if (!this.#held.has(2)) return GOING;
    check(this.#held.at(1), NO_AUTHENTICATION, 'the method');
    this.#held.take(2);
    if (this.#held.length > 0) throw new InputFault('SOCKS5 answer', 'came before it was asked for');
    this.#state = 'asked';
    return { ...GOING, send: formatRequest(this.#name) };
  }

  #readReply(): Socks5Step {
    check(this.#held.at(0) ?? VERSION, VERSION, 'the version');
    const reply = this.#held.at(1) ?? REPLY.succeeded;
    if (reply !== REPLY.succeeded) throw new InputFault('SOCKS5 answer', REPLY_WORDS[reply] ?? `code ${reply}`);
    check(this.#held.at(2) ?? 0, 0, 'the reserved byte');
    const length = addressLength(this.#held.at(3), this.#held.at(4));
    if (length === undefined || !this.#held.has(4 + length + 2)) return GOING;
    this.#checkBound(this.#held.take(4 + length + 2));
    this.#state = 'over';
    return { ...GOING, state: 'done', rest: this.#held.take(this.#held.length) };
  }

  /** BND is to be what was asked for (XEP-0065 §5.3.2); other forms are let pass, the name of another stream is not. */
  #checkBound(reply: Uint8Array): void {
    const name = Buffer.from(reply.subarray(5, -2)).toString('latin1');
    const isStreamName = reply[3] === ATYP_NAME && /^[0-9A-Fa-f]{40}$/.test(name);
    if (isStreamName && name.toLowerCase() !== this.#name) throw new InputFault('SOCKS5 answer', 'is for another stream');
  }
}

/** The half that is asked. */
export class Socks5Server {
  readonly #isExpected: (name: string) => boolean;
  readonly #held = new Held();
  #state: 'new' | 'greeted' | 'over' = 'new';
  #name: string | undefined;

  /** @param isExpected whether a stream of this name, 40 lower-case hex digits, is to be had here */
  constructor(isExpected: (name: string) => boolean) {
    this.#isExpected = isExpected;
  }

  /** The stream that was asked for, once done. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Takes any bytes, in any pieces; nothing after the end. */
  receive(bytes: Uint8Array): Socks5Step {
    if (this.#state === 'over') return { ...GOING, state: 'refused', why: 'bytes came after the end' };
    this.#held.push(bytes);
    const greeted = this.#state === 'new' ? this.#readGreeting() : NOTHING;
    if (!(greeted instanceof Uint8Array)) return greeted;
    if (this.#state === 'new') return GOING;
    const step = this.#readRequest();
    return greeted.length === 0 ? step : { ...step, send: Buffer.concat([greeted, step.send]) };
  }

  /** What to send once the greeting is whole; nothing before, a refusal when it is wrong. */
  #readGreeting(): Uint8Array | Socks5Step {
    const [version, count] = [this.#held.at(0), this.#held.at(1)];
    if (version !== undefined && version !== VERSION) return this.#refuse(Uint8Array.of(VERSION, NO_METHOD), 'not SOCKS5');
    if (count === 0) return this.#refuse(Uint8Array.of(VERSION, NO_METHOD), 'no method');
    if (count === undefined || !this.#held.has(2 + count)) return NOTHING;
    const methods = this.#held.take(2 + count).subarray(2);
    if (!methods.includes(NO_AUTHENTICATION)) return this.#refuse(Uint8Array.of(VERSION, NO_METHOD), 'wants authentication');
    this.#state = 'greeted';
    return Uint8Array.of(VERSION, NO_AUTHENTICATION);
  }

  #readRequest(): Socks5Step {
    const wrong = this.#findWrong();
    if (wrong !== undefined) return this.#refuse(formatFailure(wrong.reply), wrong.why);
    if (!this.#held.has(5 + NAME_LENGTH + 2)) return GOING;
    const request = this.#held.take(5 + NAME_LENGTH + 2);
    const name = Buffer.from(request.subarray(5, 5 + NAME_LENGTH)).toString('latin1');
    const isPortZero = request.at(-2) === 0 && request.at(-1) === 0;
    if (!isPortZero || !/^[0-9a-f]{40}$/.test(name) || !this.#isExpected(name)) {
      return this.#refuse(formatFailure(REPLY.notAllowed), 'no such stream');
    }
    this.#state = 'over';
    this.#name = name;
    return { send: formatAccepted(name), state: 'done', rest: this.#held.take(this.#held.length), why: '' };
  }

  /** What is wrong with the first bytes of the request, as soon as they say so. */
  #findWrong(): { readonly reply: number; readonly why: string } | undefined {
    const [version = VERSION, command = CONNECT, reserved = 0, type = ATYP_NAME, length = NAME_LENGTH] = [0, 1, 2, 3, 4].map((at) => this.#held.at(at));
    if (version !== VERSION || reserved !== 0) return { reply: REPLY.failure, why: 'a wrong request' };
    if (command !== CONNECT) return { reply: REPLY.commandUnknown, why: 'a command other than CONNECT' };
    if (type !== ATYP_NAME) return { reply: REPLY.addressTypeUnknown, why: 'an address that is no name' };
    return length === NAME_LENGTH ? undefined : { reply: REPLY.notAllowed, why: 'a name that is no stream' };
  }

  #refuse(send: Uint8Array, why: string): Socks5Step {
    this.#state = 'over';
    this.#held.take(this.#held.length);
    return { send, state: 'refused', rest: NOTHING, why };
  }
}

function check(value: number | undefined, wanted: number, what: string): void {
  if (value !== wanted) throw new InputFault('SOCKS5 answer', `${what} is ${value ?? 'missing'} and not ${wanted}`);
}

/** Bytes of BND.ADDR after its type; undefined while it cannot be known. @throws InputFault for an unknown type */
function addressLength(type: number | undefined, first: number | undefined): number | undefined {
  if (type === undefined) return undefined;
  if (type === ATYP_IPV4) return 4;
  if (type === ATYP_IPV6) return 16;
  if (type === ATYP_NAME) return first === undefined ? undefined : 1 + first;
  throw new InputFault('SOCKS5 answer', `the address type is ${type}`);
}

/** 47 bytes. */
function formatRequest(name: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(VERSION, CONNECT, 0, ATYP_NAME, NAME_LENGTH), Buffer.from(name, 'latin1'), Uint8Array.of(0, 0)]);
}

/** BND = DST (XEP-0065 §5.3.2). */
function formatAccepted(name: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(VERSION, REPLY.succeeded, 0, ATYP_NAME, NAME_LENGTH), Buffer.from(name, 'latin1'), Uint8Array.of(0, 0)]);
}

function formatFailure(reply: number): Uint8Array {
  return Uint8Array.of(VERSION, reply, 0, ATYP_IPV4, 0, 0, 0, 0, 0, 0);
}
