// SOCKS5 bytestreams under any split of bytes, any garbage, any offer.

import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import { formatQuery, parseOffer, parseQuery, parseStreamhosts } from '../../src/carriers/bytestreams-format.ts';
import type { Streamhost } from '../../src/carriers/bytestreams-format.ts';
import { Socks5Client, Socks5Server } from '../../src/carriers/socks5-machine.ts';
import type { Socks5Step } from '../../src/carriers/socks5-machine.ts';
import { InputFault } from '../../src/lib/errors.ts';

/** Longest messages of the handshake: a greeting of 255 methods, and a request or an answer with a name of 255. */
const LONGEST = 262;

const names = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 });

/** `bytes` in pieces as long as the drawn numbers, which are used in turn. */
function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** One end, and what it has still to receive. */
class End {
  readonly sent: Uint8Array[] = [];
  readonly stream: Uint8Array[] = [];
  state: Socks5Step['state'] = 'going';
  readonly #receive: (bytes: Uint8Array) => Socks5Step;

  constructor(receive: (bytes: Uint8Array) => Socks5Step) {
    this.#receive = receive;
  }

  take(bytes: Uint8Array): void {
    if (this.state === 'done') return void this.stream.push(bytes);
    const step = this.#receive(bytes);
    this.state = step.state;
    if (step.send.length > 0) this.sent.push(step.send);
    if (step.rest.length > 0) this.stream.push(step.rest);
  }
}

describe('the two halves of SOCKS5', () => {
  it('agree, and deliver the bytes behind the handshake, however all of it is split', () => {
    fc.assert(
      fc.property(names, cuts, cuts, fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (name, cutsUp, cutsDown, up, down) => {
        const client = new Socks5Client(name);
        const server = new Socks5Server((asked) => asked === name);
        const [a, b] = [new End((bytes) => client.receive(bytes)), new End((bytes) => server.receive(bytes))];
        a.sent.push(client.start());
        let [hasSentUp, hasSentDown] = [false, false];
        for (let turn = 0; turn < 10; turn += 1) {
          for (const part of split(Buffer.concat(a.sent.splice(0)), cutsUp)) b.take(part);
          // Whoever is done may send at once: its bytes come in one piece with the last of the handshake.
          if (b.state === 'done' && !hasSentDown) hasSentDown = b.sent.push(down) > 0;
          for (const part of split(Buffer.concat(b.sent.splice(0)), cutsDown)) a.take(part);
          if (a.state === 'done' && !hasSentUp) hasSentUp = a.sent.push(up) > 0;
        }
        expect([a.state, b.state, server.name]).toEqual(['done', 'done', name]);
        expect(Buffer.concat(b.stream).equals(up)).toBe(true);
        expect(Buffer.concat(a.stream).equals(down)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('end or hold a bounded number of bytes whatever comes, and throw nothing but bad input', () => {
    const garbage = fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...LIKELY)), { maxLength: 12 });
    fc.assert(
      fc.property(garbage, names, (parts, name) => {
        const client = new Socks5Client(name);
        client.start();
        const server = new Socks5Server(() => true);
        expect(swallowed((bytes) => client.receive(bytes), parts)).toBeLessThan(2 * LONGEST);
        expect(swallowed((bytes) => server.receive(bytes), parts)).toBeLessThan(2 * LONGEST);
      }),
      { numRuns: 2000 },
    );
  });

  it('let no name in but the expected one', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 0, max: 39 }), fc.integer({ min: 1, max: 255 }), cuts, (name, at, flip, lengths) => {
        const request = Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, 40), Buffer.from(name), Buffer.of(0, 0)]);
        request[8 + at] = (request[8 + at] ?? 0) ^ flip;
        const server = new Socks5Server((asked) => asked === name);
        const states = split(request, lengths).map((part) => server.receive(part).state);
        expect(states).not.toContain('done');
        expect(states).toContain('refused');
      }),
      { numRuns: 1000 },
    );
  });
});

/** Beginnings that lead far into the handshake. */
const LIKELY = [[5, 1, 0], [5, 0], [5], [0], [5, 255], [5, 1, 0, 3, 40], [5, 0, 0, 3, 255], [5, 0, 0, 4], [5, 0, 0, 1]].map((bytes) => Uint8Array.from(bytes));

/** Bytes that a half has taken without an end of the handshake; stops where a caller would. */
function swallowed(receive: (bytes: Uint8Array) => Socks5Step, parts: readonly Uint8Array[]): number {
  let taken = 0;
  for (const byte of Buffer.concat(parts)) {
    try {
      if (receive(Uint8Array.of(byte)).state !== 'going') return taken;
    } catch (error) {
      expect(error).toBeInstanceOf(InputFault);
      return taken;
    }
    taken += 1;
  }
  return taken;
}

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const ipv6 = fc.ipV6().map((address) => address.toLowerCase());
const streamhost: fc.Arbitrary<Streamhost> = fc.record({
  jid: fc.oneof(domain, fc.tuple(label, domain, label).map(([local, at, resource]) => `${local}@${at}/${resource}`)),
  host: fc.oneof(fc.ipV4(), ipv6, domain),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const offer = fc.record({
  sid: fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/),
  streamhosts: fc.array(streamhost, { minLength: 1, maxLength: 16 }),
});

describe('an offer', () => {
  it('is read back as it was written, as XML and as plain data', () => {
    fc.assert(
      fc.property(offer, (value) => {
        expect(parseQuery(parse(formatQuery(value).toString()))).toEqual(value);
        expect(parseOffer(JSON.parse(JSON.stringify(value)))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it('of any other shape is refused as bad input', () => {
    const attrs = fc.record({ jid: fc.string(), host: fc.string(), port: fc.string() }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(attrs, { maxLength: 3 }), fc.anything(), (hosts, value) => {
        const element = formatQuery({ sid: 's', streamhosts: [] });
        for (const one of hosts) element.c('streamhost', one);
        for (const read of [() => parseStreamhosts(element), () => parseOffer(value)]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(InputFault);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
