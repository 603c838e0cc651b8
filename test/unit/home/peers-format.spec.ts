// The form of the file of peers.

import { describe, expect, it } from 'vitest';
import { formatPeers, parsePeers } from '../../../src/home/peers-format.ts';
import { makePeer } from '../../helpers/home-values.ts';

const LAPTOP = makePeer('laptop');

describe('parsePeers', () => {
  it.each([
    ['device', '0'.repeat(32)],
    ['device', 'x'],
    ['petname', '../x'],
    ['petname', 'HEAD'],
    ['kind', 'friend'],
    ['jid', 'anna'],
    ['address', 'anna@example.org'],
    ['spki', 'AAAA'],
    ['recipient', `age1${'Q'.repeat(58)}`],
    ['name', ''],
    ['pairedAt', '2024'],
    ['lastSeen', -1],
    ['isContactAddedByUs', 'yes'],
    ['version', 1.5],
    ['colour', 'red'],
  ])('names the peer and its wrong %s', (field, value) => {
    const file = { version: 1, peers: [makePeer('desktop'), { ...LAPTOP, [field]: value }] };
    expect(() => parsePeers(file)).toThrow(field === 'spki' ? 'public key' : `file.peers[1].${field}: `);
  });

  it('names a field that is missing', () => {
    const { spki: _spki, ...rest } = LAPTOP;
    expect(() => parsePeers({ version: 1, peers: [rest] })).toThrow('file.peers[0].spki: is missing');
  });

  it('refuses a device, or a petname in another case, that stands twice', () => {
    expect(() => parsePeers(formatPeers([LAPTOP, { ...LAPTOP, petname: makePeer('other').petname }]))).toThrow('peers.device');
    expect(() => parsePeers(formatPeers([LAPTOP, makePeer('LapTop')]))).toThrow('peers.petname');
  });

  it('refuses another version', () => {
    expect(() => parsePeers({ version: 2, peers: [] })).toThrow('file.version: is not 1');
  });
});
