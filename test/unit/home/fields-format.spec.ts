// Reading a JSON object field by field.

import { describe, expect, it } from 'vitest';
import { Fields } from '../../../src/home/fields-format.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';

const same = (text: string): string => text;

describe('Fields', () => {
  it('gives what is there, in its type', () => {
    const fields = new Fields({ a: 'x', b: 1, c: true, d: ['1', '2'], e: { f: 'g' } }, 'it');
    expect(fields.isText('a')).toBe(true);
    expect(fields.isText('b')).toBe(false);
    expect([fields.text('a', same), fields.count('b'), fields.flag('c')]).toEqual(['x', 1, true]);
    expect(fields.texts('d', 2, Number)).toEqual([1, 2]);
    expect(fields.entries('e', 1, (key, text) => `${key}=${text}`)).toEqual(['f=g']);
    fields.end();
  });

  it('leaves an optional field out rather than undefined', () => {
    const fields = new Fields({ a: 1 }, 'it');
    const get = (name: string): number => fields.count(name);
    expect({ ...fields.parseOptional('a', get), ...fields.parseOptional('b', get) }).toStrictEqual({ a: 1 });
  });

  it.each([null, undefined, [], 'text', 1])('refuses %j, which is no object', (value) => {
    expect(() => new Fields(value, 'it')).toThrow('it: is no object');
  });

  it('names the field that is missing, of another type, too long or too many', () => {
    const value = { a: 'x', n: 1, long: 'x'.repeat(8193), list: ['x', 1], none: null, e: { f: 1, g: 'x' } };
    const fields = (): Fields => new Fields(value, 'it');
    expect(() => fields().text('b', same)).toThrow('it.b: is missing');
    expect(() => fields().text('n', same)).toThrow('it.n: is no text');
    expect(() => fields().text('long', same)).toThrow('it.long: is no text of at most 8192');
    expect(() => fields().count('a')).toThrow('it.a: is no integer');
    expect(() => new Fields({ a: 0.5 }, 'it').count('a')).toThrow('it.a: is no integer');
    expect(() => new Fields({ a: 2 ** 53 }, 'it').count('a')).toThrow('it.a: is no integer');
    expect(() => fields().flag('none')).toThrow('it.none: is neither');
    expect(() => fields().texts('list', 2, same)).toThrow('it.list[1]: is no text');
    expect(() => fields().texts('list', 1, same)).toThrow('it.list: is no list of at most 1');
    expect(() => fields().texts('a', 1, same)).toThrow('it.a: is no list');
    expect(() => fields().entries('e', 2, same)).toThrow('it.e.f: is no text');
    expect(() => fields().entries('e', 1, same)).toThrow('it.e: holds more than 1');
  });

  it('names the field in an error of its parser', () => {
    expect(() => new Fields({ jid: 'anna' }, 'it').text('jid', parseBareJid)).toThrow(/^it\.jid: .*name@server$/);
  });

  it('refuses a field that nobody asked for, its name cleaned and cut', () => {
    const fields = new Fields(JSON.parse('{"a": 1, "__proto__": 2}'), 'it');
    fields.count('a');
    expect(() => fields.end()).toThrow('it.__proto__: is not known');
    expect(() => new Fields({ [`\u001b${'x'.repeat(200)}`]: 1 }, 'it').end()).toThrow(new RegExp(`^it\\.\\?x{79}: `));
  });
});
