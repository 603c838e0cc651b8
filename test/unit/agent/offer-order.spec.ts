import { describe, expect, it } from 'vitest';
import { cheapestFirst } from '../../../src/agent/offer-order.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import type { Intention } from '../../../src/sync/engine.ts';

const [me, far, near, other] = ['0', '1', '2', '3'].map((digit) => parseDeviceId(digit.repeat(32))) as [never, never, never, never];
const to = (peer: never): Intention => ({ type: 'offer', peer, device: me, counter: 1 });

describe('cheapestFirst', () => {
  it('begins offers over connections of their own before those through the server, and nothing else in another order', () => {
    const consider: Intention = { type: 'consider', device: far };
    const announce: Intention = { type: 'announce', peers: [other] };
    const sorted = cheapestFirst([consider, to(far), to(near), to(other)], (peer) => peer === near);
    expect(sorted).toEqual([consider, to(near), to(far), to(other)]);
    expect(cheapestFirst([to(far), to(other)], () => false)).toEqual([to(far), to(other)]);
    // An announcement goes out before what may take minutes.
    expect(cheapestFirst([to(far), announce], () => false)).toEqual([announce, to(far)]);
  });
});
