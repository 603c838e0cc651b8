import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/lib/errors.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { parseDeviceId } from '../../src/lib/names.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import { formatDeviceList, parseDeviceList, signDeviceList, verifyDeviceList } from '../../src/pairing/devices-format.ts';
import type { DeviceList, Revoked } from '../../src/pairing/devices-format.ts';
import { judgeList } from '../../src/pairing/devices-machine.ts';
import { makeDeviceKey } from '../helpers/device-key.ts';
import { makeCard } from '../helpers/pairing.ts';

const ACCOUNT = parseBareJid('anna@example.org');
const KEY = makeDeviceKey();
const CARDS = ['laptop', 'Büro', '\u{1f600}'].map((name, index) => makeCard(`${ACCOUNT}/git-xmpp-${index}`, name)).toSorted((a, b) => (a.device < b.device ? -1 : 1));
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => parseDeviceId(Buffer.from(bytes).toString('hex')));
const at = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const ids = (max: number): fc.Arbitrary<DeviceId[]> => fc.uniqueArray(id, { maxLength: max }).map((all) => all.toSorted());
const revoked = fc.tuple(ids(12), id, at).map(([all, by, when]): Revoked[] => all.map((device) => ({ device, by, at: when })));
const introduced = fc.subarray(CARDS).chain((cards) => fc.tuple(...cards.map((card) => fc.record({ card: fc.constant(card), at, to: ids(6) }))));
const list: fc.Arbitrary<DeviceList> = fc.record({ device: fc.constant(KEY.device), account: fc.constant(ACCOUNT), counter: at, revoked, introduced });

describe('a device list', () => {
  it('is read back from its bytes, and from no other bytes that are near', () => {
    fc.assert(
      fc.property(list, fc.nat(), fc.integer({ min: 0, max: 7 }), (given, place, bit) => {
        const bytes = formatDeviceList(given);
        expect(parseDeviceList(bytes)).toEqual(given);
        const spoiled = Uint8Array.from(bytes);
        const index = place % bytes.length;
        spoiled[index] = (spoiled[index] ?? 0) ^ (1 << bit);
        try {
          // What is read all the same says something else, in that one form.
          expect(Buffer.from(formatDeviceList(parseDeviceList(spoiled))).equals(spoiled)).toBe(true);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('loses its signature by any bit', () => {
    fc.assert(
      fc.property(list, fc.nat(), fc.integer({ min: 0, max: 7 }), (given, place, bit) => {
        const signed = signDeviceList(given, KEY.keyPem);
        expect(verifyDeviceList(signed, () => KEY.spki)).toEqual(given);
        const index = place % signed.length;
        signed[index] = (signed[index] ?? 0) ^ (1 << bit);
        try {
          expect(verifyDeviceList(signed, () => KEY.spki)).toBeUndefined();
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('judgeList', () => {
  const [me, ...signers] = Array.from({ length: 4 }, () => makeDeviceKey().device) as [DeviceId, ...DeviceId[]];
  const victims = Array.from({ length: 4 }, () => makeDeviceKey().device);
  const said = fc.array(fc.record({ signer: fc.constantFrom(...signers), gone: fc.subarray(victims) }), { minLength: 1, maxLength: 8 });

  /** Every list is complete: what a device said before is in what it says next. */
  function listsOf(words: readonly { readonly signer: DeviceId; readonly gone: readonly DeviceId[] }[]): DeviceList[] {
    const before = new Map<DeviceId, Set<DeviceId>>();
    return words.map(({ signer, gone }, index) => {
      const all = new Set([...(before.get(signer) ?? []), ...gone]);
      before.set(signer, all);
      return { device: signer, account: ACCOUNT, counter: index + 1, revoked: [...all].toSorted().map((device) => ({ device, by: signer, at: 1 })), introduced: [] };
    });
  }

  function heldAfter(lists: readonly DeviceList[]): DeviceId[] {
    const held = new Map<DeviceId, Revoked>();
    const seen = new Map<DeviceId, number>();
    for (const each of lists) {
      const verdict = judgeList(each, { me, account: ACCOUNT, paired: () => ({ kind: 'own' }), revoked: held, seen, now: 0 });
      if (verdict.type !== 'taken') continue;
      for (const one of verdict.revoked) held.set(one.device, one);
      seen.set(each.device, each.counter);
    }
    return [...held.keys()].toSorted();
  }

  it('ends at the same in any order, with lists that come twice, late, or not at all but for the newest of each device', () => {
    fc.assert(
      fc.property(said, fc.infiniteStream(fc.nat()), (words, order) => {
        const lists = listsOf(words);
        const inOrder = heldAfter(lists);
        const shuffled = [...lists, ...lists].map((each) => ({ each, key: order.next().value })).toSorted((a, b) => a.key - b.key).map(({ each }) => each);
        expect(heldAfter(shuffled)).toEqual(inOrder);
        const newest = signers.flatMap((signer) => lists.findLast(({ device }) => device === signer) ?? []);
        expect(heldAfter(newest)).toEqual(inOrder);
        expect(heldAfter([...lists, ...lists.toReversed()])).toEqual(inOrder);
      }),
      { numRuns: 300 },
    );
  });
});
