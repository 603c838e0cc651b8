// The local name of a new peer.

import { describe, expect, it } from 'vitest';
import { choosePetname } from '../../../src/home/petname-format.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';

const ANNA = parseBareJid('anna@example.org');

describe('choosePetname', () => {
  it('calls an own device by its name, then name-2, name-3', () => {
    expect(choosePetname('laptop', ANNA, 'own', [])).toBe('laptop');
    expect(choosePetname('laptop', ANNA, 'own', ['laptop'])).toBe('laptop-2');
    expect(choosePetname('laptop', ANNA, 'own', ['laptop', 'laptop-2'])).toBe('laptop-3');
  });

  it('calls another account by the local part, its second device anna-desktop, then anna-desktop-2', () => {
    expect(choosePetname('desktop', ANNA, 'other', ['laptop'])).toBe('anna');
    expect(choosePetname('desktop', ANNA, 'other', ['anna'])).toBe('anna-desktop');
    expect(choosePetname('desktop', ANNA, 'other', ['anna', 'anna-desktop'])).toBe('anna-desktop-2');
  });

  it('takes a name as taken in whatever case', () => {
    expect(choosePetname('Laptop', ANNA, 'own', ['lapTOP'])).toBe('Laptop-2');
  });

  it.each([
    ['Anna\'s laptop', 'Anna-s-laptop'],
    ['../../etc', 'etc'],
    ['a..b', 'a.b'],
    ['-rf', 'rf'],
    ['x.lock', 'x'],
    ['x.lock.lock.', 'x'],
    ['Küche', 'Küche'],
    ['HEAD', 'peer'],
    ['head', 'peer'],
    ['✓✓', 'peer'],
    ['', 'peer'],
    ['x'.repeat(100), 'x'.repeat(48)],
  ])('makes a remote name of %j', (name, petname) => {
    expect(choosePetname(name, ANNA, 'own', [])).toBe(petname);
  });
});
