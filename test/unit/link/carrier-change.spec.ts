import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { describeChange } from '../../../src/link/carrier-change.ts';
import type { CarrierChange } from '../../../src/link/carrier-change.ts';

const IN_BAND = { kind: 'in-band', addressClass: 'server' } as Carrier;
const DIRECT = { kind: 'direct', addressClass: 'lan' } as Carrier;
const change = (carrier: Carrier, from: CarrierChange['from'], lost?: string): CarrierChange => ({ carrier, from, lost, sent: 0, received: 0 });

describe('describeChange', () => {
  it.each([
    [change(DIRECT, 'in-band'), 'direct (within the local network) instead of in-band: a better way was found'],
    [change(IN_BAND, 'direct', 'the connection was reset'), 'in-band (through the server) instead of direct: the connection was reset'],
    [change(IN_BAND, 'in-band', 'the server ended the stream'), 'in-band (through the server) again: the server ended the stream'],
    [change(IN_BAND, 'in-band'), 'in-band (through the server) with larger blocks: the server throttles nothing'],
  ])('tells what changed, and why: $carrier.kind after $from', (given, words) => {
    expect(describeChange(given, 'dialler')).toBe(words);
  });

  it.each([
    [change(IN_BAND, 'in-band'), 'in-band (through the server) again: the other device moved there'],
    [change(DIRECT, 'in-band'), 'direct (within the local network) instead of in-band: the other device moved there'],
    [change(IN_BAND, 'direct', 'the connection was reset'), 'in-band (through the server) instead of direct: the connection was reset'],
  ])('does not guess why the other end moved: $carrier.kind after $from', (given, words) => {
    expect(describeChange(given, 'listener')).toBe(words);
  });

  it('has nothing to tell of the first carrier', () => {
    expect(describeChange(change(IN_BAND, undefined), 'dialler')).toBeUndefined();
  });
});
