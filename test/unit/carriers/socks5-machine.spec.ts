import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { Socks5Client, Socks5Server } from '../../../src/carriers/socks5-machine.ts';
import type { Socks5Step } from '../../../src/carriers/socks5-machine.ts';
import { InputFault } from '../../../src/lib/errors.ts';

const NAME = '0123456789abcdef0123456789abcdef01234567';
const OTHER = '0123456789abcdef0123456789abcdef01234568';
const GREETING = [5, 1, 0];

function bytes(...parts: readonly (number | string)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))));
}

const request = (name = NAME): Buffer => bytes(5, 1, 0, 3, name.length, name, 0, 0);

describe('Socks5Client', () => {
  /** A client that has been told to go on after its greeting. */
  function asking(): Socks5Client {
    const client = new Socks5Client(NAME);
    client.start();
    client.receive(bytes(5, 0));
    return client;
  }

  it('greets, waits, asks for the name with port 0, and is done with the answer', () => {
    const client = new Socks5Client(NAME);
    expect(Buffer.from(client.start())).toEqual(bytes(5, 1, 0));
    expect(client.receive(bytes(5)).send).toHaveLength(0);
    const asked = client.receive(bytes(0));
    expect(Buffer.from(asked.send)).toEqual(request());
    expect(asked.state).toBe('going');
    const done = client.receive(bytes(5, 0, 0, 3, 40, NAME, 0, 0));
    expect([done.state, done.send.length, done.rest.length]).toEqual(['done', 0, 0]);
  });

  it.each([
    ['an IPv4 address', bytes(5, 0, 0, 1, 127, 0, 0, 1, 0x1f, 0x90)],
    ['an IPv6 address', bytes(5, 0, 0, 4, '\0'.repeat(16), 0, 1)],
    ['a name', bytes(5, 0, 0, 3, 5, 'proxy', 0, 0)],
    ['an empty name', bytes(5, 0, 0, 3, 0, 0, 0)],
    ['its own name in capitals', bytes(5, 0, 0, 3, 40, NAME.toUpperCase(), 0, 0)],
  ])('takes an answer bound to %s, and hands on what follows', (_, answer) => {
    const step = asking().receive(Buffer.concat([answer, bytes('stream')]));
    expect(step.state).toBe('done');
    expect(Buffer.from(step.rest).toString()).toBe('stream');
  });

  it.each([
    ['another version', bytes(4)],
    ['no acceptable method', bytes(5, 0xff)],
    ['a method that was not offered', bytes(5, 2)],
    ['more than was asked for', bytes(5, 0, 5)],
  ])('refuses a greeting answered with %s', (_, answer) => {
    const client = new Socks5Client(NAME);
    client.start();
    expect(() => client.receive(answer)).toThrow(InputFault);
  });

  it.each([
    ['another version', bytes(4), 'version'],
    ['a refusal', bytes(5, 2), 'not allowed'],
    ['a failure as Prosody writes it', bytes(5, 1, 0, 3, 0, 0, 0), 'general failure'],
    ['an unknown code', bytes(5, 77), 'code 77'],
    ['a reserved byte', bytes(5, 0, 1), 'reserved'],
    ['an unknown address type', bytes(5, 0, 0, 2), 'address type'],
    ['another stream', bytes(5, 0, 0, 3, 40, OTHER, 0, 0), 'another stream'],
  ])('refuses a request answered with %s', (_, answer, why) => {
    expect(() => asking().receive(answer)).toThrow(why);
  });

  it('takes nothing after it is done or has failed', () => {
    const done = asking();
    done.receive(bytes(5, 0, 0, 3, 40, NAME, 0, 0));
    expect(() => done.receive(bytes(5))).toThrow('out of turn');
    const failed = asking();
    expect(() => failed.receive(bytes(4))).toThrow(InputFault);
    expect(() => failed.receive(bytes(5, 0, 0, 3, 40, NAME, 0, 0))).toThrow('out of turn');
  });
});

describe('Socks5Server', () => {
  const serve = (): Socks5Server => new Socks5Server((name) => name === NAME);
  const failure = (code: number): Buffer => bytes(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
  function greeted(): Socks5Server {
    const server = serve();
    server.receive(bytes(...GREETING));
    return server;
  }

  it('answers greeting and request, and hands on what follows', () => {
    const server = serve();
    expect(Buffer.from(server.receive(bytes(...GREETING)).send)).toEqual(bytes(5, 0));
    const step = server.receive(Buffer.concat([request(), bytes('stream')]));
    expect(Buffer.from(step.send)).toEqual(bytes(5, 0, 0, 3, 40, NAME, 0, 0));
    expect(step.state).toBe('done');
    expect(Buffer.from(step.rest).toString()).toBe('stream');
    expect(server.name).toBe(NAME);
  });

  it('answers a client that sends everything at once', () => {
    const step = serve().receive(Buffer.concat([bytes(...GREETING), request(), bytes('s')]));
    expect(Buffer.from(step.send)).toEqual(bytes(5, 0, 5, 0, 0, 3, 40, NAME, 0, 0));
    expect(Buffer.from(step.rest).toString()).toBe('s');
  });

  it('answers a client that sends byte by byte', () => {
    const server = serve();
    const steps: Socks5Step[] = [...bytes(...GREETING), ...request()].map((byte) => server.receive(Uint8Array.of(byte)));
    expect(Buffer.concat(steps.map(({ send }) => send))).toEqual(bytes(5, 0, 5, 0, 0, 3, 40, NAME, 0, 0));
    expect(steps.at(-1)?.state).toBe('done');
  });

  it('takes a greeting of 255 methods with the right one at its end', () => {
    expect(Buffer.from(serve().receive(bytes(5, 255, '\x80'.repeat(254), 0)).send)).toEqual(bytes(5, 0));
  });

  it.each([
    ['another version', bytes(4, 1, 0)],
    ['no method at all', bytes(5, 0)],
    ['methods that want a password', bytes(5, 2, 1, 2)],
  ])('refuses a greeting of %s', (_, greeting) => {
    expect(serve().receive(greeting)).toMatchObject({ state: 'refused', send: Uint8Array.of(5, 0xff) });
  });

  it.each([
    ['bytes that are no request', bytes('x'), 1],
    ['BIND', bytes(5, 2), 7],
    ['UDP ASSOCIATE', bytes(5, 3), 7],
    ['a reserved byte', bytes(5, 1, 1), 1],
    ['an IPv4 address', bytes(5, 1, 0, 1), 8],
    ['a name that is too long', bytes(5, 1, 0, 3, 41), 2],
    ['a name that is too short', bytes(5, 1, 0, 3, 39), 2],
    ['the name of another stream', request(OTHER), 2],
    ['the name in capitals', request(NAME.toUpperCase()), 2],
    ['a port', bytes(5, 1, 0, 3, 40, NAME, 0, 80), 2],
  ])('refuses %s behind the greeting', (_, wrong, code) => {
    const server = greeted();
    const step = server.receive(wrong);
    expect(step.state).toBe('refused');
    expect(Buffer.from(step.send)).toEqual(failure(code));
    expect(server.name).toBeUndefined();
    expect(server.receive(request())).toMatchObject({ state: 'refused', send: new Uint8Array(0) });
  });

  it('refuses trailing bytes in the greeting, after answering it', () => {
    const step = serve().receive(bytes(...GREETING, 0));
    expect(step.state).toBe('refused');
    expect(Buffer.from(step.send)).toEqual(Buffer.concat([bytes(5, 0), failure(1)]));
  });
});
