// Which lanes are waited for, and for how long; who is let in is in lanes.spec.ts.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { LaneDoor } from '../../../src/link/lane-door.ts';
import type { ExpectedLane } from '../../../src/link/lane-door.ts';
import { makeLinkDevice } from '../../helpers/credentials.ts';
import { newLinkId } from '../../helpers/link-world.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const own = makeLinkDevice();
const account = parseBareJid('anna@example.org');

let clock: VirtualClock;
let door: LaneDoor;
let overs: number;

beforeEach(() => {
  clock = new VirtualClock();
  overs = 0;
  door = new LaneDoor({ own, clock, offences: { note: () => undefined } });
});

function lane(): ExpectedLane {
  return { linkId: newLinkId(), name: { stream: 1, way: 'up' }, account, spki: own.spki, use: () => undefined, over: () => void (overs += 1) };
}

const knock = (sid: string): boolean => door.take({ sid } as unknown as Carrier);

describe('LaneDoor', () => {
  it('waits for 32 lanes of all links, and has room again for each that is waited for no more', () => {
    const forgets = Array.from({ length: 32 }, (_none, index) => door.expect(`s${index}`, lane()));
    expect(() => door.expect('more', lane())).toThrow(expect.objectContaining({ code: 'throttled' }));
    forgets[7]?.();
    forgets[7]?.();
    expect(overs).toBe(1);
    door.expect('more', lane());
    expect(() => door.expect('another', lane())).toThrow(expect.objectContaining({ code: 'throttled' }));
  });

  it('waits for one of a name at a time', () => {
    door.expect('s', lane());
    expect(() => door.expect('s', lane())).toThrow(expect.objectContaining({ code: 'exists' }));
  });

  it('waits for 45 seconds, and takes nothing for a lane that it does not wait for', async () => {
    door.expect('s', lane());
    await clock.pass(44_999);
    expect([overs, knock('other')]).toEqual([0, false]);
    await clock.pass(1);
    expect([overs, knock('s')]).toEqual([1, false]);
    expect(clock.timers).toBe(0);
  });
});
