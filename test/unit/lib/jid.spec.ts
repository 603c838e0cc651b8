import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { bareOf, domainOf, localOf, parseBareJid, parseFullJid, shorten } from '../../../src/lib/jid.ts';

describe('parseBareJid', () => {
  it.each([
    ['anna@example.org', 'anna@example.org'],
    ['Anna@Example.ORG', 'anna@example.org'],
    ['a.b+c@xn--bcher-kva.example', 'a.b+c@xn--bcher-kva.example'],
    ['anna@localhost', 'anna@localhost'],
    ['anna@[::1]', 'anna@[::1]'],
    ['u\u0308@example.org', 'ü@example.org'],
  ])('reads %s', (text, jid) => {
    expect(parseBareJid(text)).toBe(jid);
  });

  it.each(['', '@', 'anna', 'anna@', '@example.org', 'an na@example.org', 'anna@exa mple', 'anna@example.org/x', 'a@b@c', 'a@-b', 'a@b..c', "a'b@c", '<a>@b', 'a\0@b'])(
    'refuses %j',
    (text) => {
      expect(() => parseBareJid(text)).toThrow(InputFault);
    },
  );

  it('refuses what is too long, and what would be too long in lower case', () => {
    expect(() => parseBareJid(`${'a'.repeat(256)}@b`)).toThrow(InputFault);
    expect(() => parseBareJid(`a@${'b.'.repeat(200)}c`)).toThrow(InputFault);
    expect(() => parseBareJid(`${'İ'.repeat(200)}@b`)).toThrow(InputFault);
  });
});

describe('parseFullJid', () => {
  it('keeps the resource as it is, slashes and at signs too', () => {
    const jid = parseFullJid('Anna@Example.org/Phone/a@B');
    expect(jid).toBe('anna@example.org/Phone/a@B');
    expect([bareOf(jid), domainOf(jid), localOf(jid)]).toEqual(['anna@example.org', 'example.org', 'anna']);
  });

  it.each(['anna@example.org', 'anna@example.org/', 'example.org/x', 'anna@example.org/\n', `a@b/${'x'.repeat(256)}`])('refuses %j', (text) => {
    expect(() => parseFullJid(text)).toThrow(InputFault);
  });
});

describe('domainOf', () => {
  it('is the server of an account too', () => {
    expect(domainOf(parseBareJid('anna@example.org'))).toBe('example.org');
  });
});

describe('shorten', () => {
  it('cuts at 80 characters and shows control characters as question marks', () => {
    expect(shorten('x'.repeat(80))).toBe('x'.repeat(80));
    expect(shorten('x'.repeat(81))).toBe(`${'x'.repeat(77)}…`);
    expect(shorten('a\x1b[31m\r\n')).toBe('a?[31m??');
  });
});
