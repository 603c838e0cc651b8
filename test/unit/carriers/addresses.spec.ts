import { describe, expect, it } from 'vitest';
import { addressesToOffer, addressesToTry, classOf, classOfSocket, isWithin } from '../../../src/carriers/addresses.ts';
import type { Interfaces } from '../../../src/carriers/addresses.ts';

function machine(...addresses: readonly string[]): Interfaces {
  const of = (list: readonly string[], internal: boolean) => list.map((address) => ({ address, internal }));
  return { lo: of(['127.0.0.1', '::1'], true), eth0: of(addresses, false), none: undefined };
}

describe('classOf', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['10.0.0.1', 'lan'],
    ['172.16.0.1', 'lan'],
    ['172.32.0.1', 'public'],
    ['192.168.255.1', 'lan'],
    ['100.64.0.1', 'lan'],
    ['100.128.0.1', 'public'],
    ['169.254.1.1', 'lan'],
    ['fe80::1', 'lan'],
    ['fd00::2', 'lan'],
    ['::ffff:10.0.0.1', 'lan'],
    ['8.8.8.8', 'public'],
    ['2001:db8::1', 'public'],
    ['0.0.0.0', undefined],
    ['0.1.2.3', undefined],
    ['::', undefined],
    ['::ffff:0.0.0.0', undefined],
    ['224.0.0.1', undefined],
    ['255.255.255.255', undefined],
    ['ff02::1', undefined],
    ['fe80::1%eth0', undefined],
    ['example.org', undefined],
    ['', undefined],
  ])('calls %s %s', (address, wanted) => {
    expect(classOf(address)).toBe(wanted);
  });
});

describe('classOfSocket', () => {
  it('calls a connection from an address to itself loopback', () => {
    expect(classOfSocket({ localAddress: '192.168.1.5', remoteAddress: '192.168.1.5' })).toBe('loopback');
    expect(classOfSocket({ localAddress: '192.168.1.5', remoteAddress: '192.168.1.6' })).toBe('lan');
    expect(classOfSocket({ localAddress: '192.168.1.5', remoteAddress: '8.8.8.8' })).toBe('public');
  });
});

describe('isWithin', () => {
  it.each([
    ['off', false, false, false],
    ['private', true, true, false],
    ['public', true, true, true],
  ] as const)('lets %s talk to loopback: %s, lan: %s, public: %s', (mode, loopback, lan, open) => {
    expect([isWithin(mode, '127.0.0.1'), isWithin(mode, '10.0.0.1'), isWithin(mode, '8.8.8.8')]).toEqual([loopback, lan, open]);
    expect(isWithin(mode, 'example.org')).toBe(false);
  });
});

describe('addressesToOffer', () => {
  it('offers private addresses of both families, and neither loopback nor link-local IPv6', () => {
    expect(addressesToOffer(machine('fd00::2', '192.168.1.5', 'fe80::1', '8.8.8.8'), 'private')).toEqual(['192.168.1.5', 'fd00::2']);
  });

  it('offers public addresses only when it may, after the private ones', () => {
    expect(addressesToOffer(machine('8.8.8.8', '2001:db8::1', '192.168.1.5'), 'public')).toEqual(['192.168.1.5', '8.8.8.8', '2001:db8::1']);
  });

  it('offers loopback where there is nothing else', () => {
    expect(addressesToOffer(machine('8.8.8.8'), 'private')).toEqual(['127.0.0.1', '::1']);
  });

  it('offers nothing when direct connections are off', () => {
    expect(addressesToOffer(machine('192.168.1.5'), 'off')).toEqual([]);
  });

  it('offers eight at most, and no family pushes out the other', () => {
    const many = Array.from({ length: 20 }, (_, at) => `172.16.${at}.1`);
    const offered = addressesToOffer(machine(...many, 'fd00::2', 'fd00::2'), 'private');
    expect(offered).toHaveLength(8);
    expect(offered.slice(0, 2)).toEqual(['172.16.0.1', 'fd00::2']);
    expect(new Set(offered).size).toBe(8);
  });
});

describe('addressesToTry', () => {
  const here = machine('192.168.1.5', '172.17.0.1', 'fd00::5');

  it('tries the private addresses of a peer, in its order', () => {
    expect(addressesToTry(['fd00::6', '192.168.1.6', '8.8.8.8'], here, 'private')).toEqual(['fd00::6', '192.168.1.6']);
    expect(addressesToTry(['8.8.8.8'], here, 'public')).toEqual(['8.8.8.8']);
  });

  it('tries nothing when direct connections are off', () => {
    expect(addressesToTry(['192.168.1.6', '127.0.0.1'], here, 'off')).toEqual([]);
  });

  it('skips what this machine has as well, such as a bridge of Docker, when the peer is elsewhere', () => {
    expect(addressesToTry(['192.168.1.6', '172.17.0.1'], here, 'private')).toEqual(['192.168.1.6']);
  });

  it('skips loopback when the peer is elsewhere, even as IPv4 in IPv6', () => {
    expect(addressesToTry(['192.168.1.6', '127.0.0.1', '::1', '::ffff:127.0.0.1', '127.0.0.2'], here, 'private')).toEqual(['192.168.1.6']);
  });

  it('tries all when all are of this machine: the peer is on it too', () => {
    expect(addressesToTry(['192.168.1.5', 'fd00:0::5', '172.17.0.1'], here, 'private')).toEqual(['192.168.1.5', 'fd00:0::5', '172.17.0.1']);
    expect(addressesToTry(['127.0.0.1', '::1'], here, 'private')).toEqual(['127.0.0.1', '::1']);
  });

  it('never tries a name, or nobody’s address', () => {
    expect(addressesToTry(['localhost', 'peer.example', '0.0.0.0', '255.255.255.255'], here, 'public')).toEqual([]);
  });
});
