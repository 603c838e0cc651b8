import { describe, expect, it } from 'vitest';
import { settingReader } from '../../../src/agent/setting-reader.ts';
import { InputFault } from '../../../src/lib/errors.ts';

const parse = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InputFault('xmpp.someNumber', 'is no number');
  return Number(text);
};

describe('settingReader', () => {
  it('gives the last value, whatever case the key is written in, and the default where there is none', () => {
    const read = settingReader(new Map([['xmpp.somenumber', ['1', '2']]]), () => undefined);
    expect([read('xmpp.someNumber', parse, 7), read('xmpp.other', parse, 7)]).toEqual([2, 7]);
  });

  it('tells a value that cannot be used, and gives the default', () => {
    const told: string[] = [];
    const read = settingReader(new Map([['xmpp.somenumber', ['many']]]), ({ message }) => told.push(message));
    expect(read('xmpp.someNumber', parse, 7)).toBe(7);
    expect(told).toEqual(['xmpp.someNumber: is no number']);
  });
});
