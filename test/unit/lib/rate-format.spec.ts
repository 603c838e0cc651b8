// Rates as people write them.

import { describe, expect, it } from 'vitest';
import { parseRate } from '../../../src/lib/rate-format.ts';

describe('parseRate', () => {
  it.each([
    ['200k', 200_000],
    ['1.5m', 1_500_000],
    ['50000', 50_000],
    [' 2G ', 2_000_000_000],
    ['1.5k', 1500],
    ['1.001k', 1001],
  ])('reads %j as %d bytes a second', (text, rate) => {
    expect(parseRate('xmpp.limit.up', text)).toBe(rate);
  });

  it.each([undefined, '', '0', '0k', '0.000m'])('takes %j for no limit', (text) => {
    expect(parseRate('xmpp.limit.up', text)).toBeUndefined();
  });

  it.each(['fast', '200 k', '200kb', '200kb/s', '-1', '1e6', '1.2345m', '.5m', '1,5m', '9999999999999', '0x10'])('refuses %j by its name', (text) => {
    expect(() => parseRate('xmpp.limit.up', text)).toThrow(/^xmpp\.limit\.up: is no rate/);
  });

  it('takes a rate that is nearly none for a forgotten unit', () => {
    expect(() => parseRate('xmpp.limit.up', '200')).toThrow('xmpp.limit.up: is less than 1000 bytes a second; did you mean 200k?');
    expect(parseRate('xmpp.limit.up', '1k')).toBe(1000);
  });
});
