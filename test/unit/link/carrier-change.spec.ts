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
    expect(describeChange(given)).toBe(words);
  });

  it('has nothing to tell of the first carrier', () => {
    expect(describeChange(change(IN_BAND, undefined))).toBeUndefined();
  });
});
