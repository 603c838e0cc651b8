// A grant that changes while something runs on it, or before it has begun.

import { beforeEach, describe, expect, it } from 'vitest';
import { grantHolds } from '../../../src/agent/grant-holds.ts';
import type { Peer } from '../../../src/home/peers.ts';
import type { SharedRepo } from '../../../src/home/repos.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';

const ANNA = parseBareJid('anna@example.org');
const anna = makePeer('anna', { kind: 'other', jid: ANNA });

let peer: Peer | undefined;
let shared: SharedRepo;
let isShared: boolean;

beforeEach(() => {
  peer = anna;
  shared = makeSharedRepo('notes', { audience: [ANNA], defaultGrant: 'offer' });
  isShared = true;
});

const begin = (hasBranches = false): (() => boolean) =>
  grantHolds({ who: anna.device, peers: { byDevice: () => peer }, isShared: () => isShared, shared: () => shared }, { needed: 'offer', hasBranches });

describe('grantHolds', () => {
  it('holds while nothing changes, and for more than is needed', () => {
    const holds = begin();
    expect(holds()).toBe(true);
    shared = { ...shared, defaultGrant: 'write' };
    expect(holds()).toBe(true);
  });

  it.each([
    ['the grant is taken back', () => (shared = { ...shared, defaultGrant: 'read' })],
    ['the repository is not shared any more', () => (isShared = false)],
    ['the device is unpaired', () => (peer = undefined)],
  ])('holds no more when %s', (_what, change) => {
    const holds = begin();
    change();
    expect(holds()).toBe(false);
  });

  it('never holds for what had no grant when it began', () => {
    shared = { ...shared, defaultGrant: 'read' };
    const holds = begin();
    shared = { ...shared, defaultGrant: 'write' };
    expect(holds()).toBe(false);
  });

  it('is another grant when it is for other branches, where that matters', () => {
    const [plain, byBranch] = [begin(), begin(true)];
    shared = { ...shared, branches: ['main'] };
    expect([plain(), byBranch()]).toEqual([true, false]);
  });
});
