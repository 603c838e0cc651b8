import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName, parseRepoId } from '../../src/lib/names.ts';
import { formatAnnouncement, parseAnnouncement } from '../../src/sync/announcement-format.ts';
import { signAnnouncement, verifyAnnouncement } from '../../src/sync/announcement-format.ts';
import { applyChanges, diffMaps, isMapSignedBy, mapHash, signMap } from '../../src/sync/map-format.ts';
import { makeDeviceKey } from '../helpers/device-key.ts';

const KEY = makeDeviceKey();
const hex = (digits: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const oid = fc.oneof(hex(40), hex(64)).map(parseOid);
const letter = fc.constantFrom('a', 'B', 'ü', '\u{1f600}', '\uffe6', '-');
const ref = fc
  .tuple(fc.constantFrom('heads', 'tags'), fc.string({ unit: letter, minLength: 1, maxLength: 8 }))
  .map(([kind, name]) => parseRefName(`refs/${kind}/${name}`));
const refs = fc.array(fc.tuple(ref, oid), { maxLength: 12 }).map((entries) => new Map(entries));
const repo = fc.uuid().map(parseRepoId);
const counter = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('diffMaps and applyChanges', () => {
  it('lead from any map to any other', () => {
    fc.assert(
      fc.property(refs, refs, (from, to) => {
        expect(applyChanges(from, diffMaps(from, to))).toEqual(to);
        expect(diffMaps(from, to).size === 0).toBe(mapHash(from) === mapHash(to));
      }),
      { numRuns: 300 },
    );
  });
});

describe('mapHash', () => {
  it('is the same in any order', () => {
    fc.assert(
      fc.property(
        refs.chain((map) => fc.tuple(fc.constant(map), fc.shuffledSubarray([...map], { minLength: map.size }))),
        ([map, shuffled]) => {
          expect(mapHash(new Map(shuffled))).toBe(mapHash(map));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('signMap', () => {
  it('stands for one statement and no other', () => {
    fc.assert(
      fc.property(repo, counter, counter, refs, refs, (repo, one, other, mine, theirs) => {
        const statement = { repo, device: KEY.device, counter: one, refs: mine };
        const signature = signMap(statement, KEY.keyPem);
        expect(isMapSignedBy(statement, signature, KEY.spki)).toBe(true);
        const changed = { ...statement, counter: other, refs: theirs };
        expect(isMapSignedBy(changed, signature, KEY.spki)).toBe(one === other && mapHash(mine) === mapHash(theirs));
      }),
      { numRuns: 200 },
    );
  });
});

describe('formatAnnouncement', () => {
  const tips = fc.array(fc.tuple(ref, fc.option(oid, { nil: undefined })), { maxLength: 16 }).map((entries) => new Map(entries));
  const announcement = fc.record(
    { repo, device: hex(32).map(parseDeviceId), counter, tips, rest: hex(32), hub: hex(32) },
    { requiredKeys: ['repo', 'device', 'counter', 'tips', 'rest'] },
  );

  it('is read back by parseAnnouncement', () => {
    fc.assert(
      fc.property(announcement, (each) => {
        expect(parseAnnouncement(formatAnnouncement(each))).toEqual(each);
      }),
      { numRuns: 300 },
    );
  });

  it('is the only form of what it says: other bytes are refused, or say something else', () => {
    fc.assert(
      fc.property(announcement, fc.nat(1 << 16), fc.nat(7), (each, position, bit) => {
        const bytes = formatAnnouncement(each);
        const changed = bytes.map((byte, at) => (at === position % bytes.length ? byte ^ (1 << bit) : byte));
        try {
          expect(formatAnnouncement(parseAnnouncement(changed))).toEqual(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is believed by nobody once a bit of it or of its signature was turned', () => {
    fc.assert(
      fc.property(announcement, fc.nat(1 << 16), fc.nat(7), (each, position, bit) => {
        const signed = signAnnouncement({ ...each, device: KEY.device }, KEY.keyPem);
        const changed = signed.map((byte, at) => (at === position % signed.length ? byte ^ (1 << bit) : byte));
        let said: unknown;
        try {
          said = verifyAnnouncement(changed, () => KEY.spki);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
        expect(said).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
