// What the home reads and writes, for all values.
// Rule: whatever is written is read back, and whatever is not of the form is refused in words.

import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHostAndPort } from '../../src/home/account.ts';
import { formatCertificate } from '../../src/home/certificate-format.ts';
import { parseDeviceName } from '../../src/home/device-name-format.ts';
import { deviceIdOf, fingerprintOf } from '../../src/home/fingerprint.ts';
import { formatPeers, parsePeers } from '../../src/home/peers-format.ts';
import { choosePetname, foldPetname } from '../../src/home/petname-format.ts';
import { formatRepos, parseRepos } from '../../src/home/repos-format.ts';
import { Fault } from '../../src/lib/errors.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { parsePetname } from '../../src/lib/names.ts';
import { makePeer, makeSharedRepo, makeSpki } from '../helpers/home-values.ts';

const jid = fc.stringMatching(/^[a-z0-9._-]{1,20}@[a-z][a-z0-9]{0,9}\.example$/).map(parseBareJid);
const kind = fc.constantFrom('own' as const, 'other' as const);
const grant = fc.constantFrom('none' as const, 'read' as const, 'offer' as const, 'write' as const);
const shortName = fc.stringMatching(/^[a-z][a-z0-9]{0,12}$/);
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 80 }));
const count = fc.maxSafeNat();
const address = jid.map((bare) => parseFullJid(`${bare}/x`));
/** A field that no file has, such as a hand or a peer might put there. */
const FOREIGN = '\u001b[31m';

const peer = fc
  .record({
    name: shortName,
    more: fc.record(
      { kind, jid, lastSeen: count, pairedAt: count, version: count, isContactAddedByUs: fc.boolean(), address },
      { requiredKeys: [] },
    ),
  })
  .map(({ name, more }) => makePeer(name, more));

const repo = fc
  .record({
    name: shortName,
    more: fc.record(
      {
        audience: fc.oneof(fc.constant('own' as const), fc.array(jid, { maxLength: 4 })),
        defaultGrant: grant,
        grants: fc.dictionary(fc.oneof(jid, fc.stringMatching(/^[0-9a-f]{32}$/)), grant, { maxKeys: 4, noNullPrototype: true }),
        isFolder: fc.boolean(),
        branches: fc.array(fc.constantFrom('main', 'feature/*', '*', 'ünïcode'), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ name, more }) => makeSharedRepo(name, more));

/** Refuses in words, or takes it: nothing else may come out of a parser. */
function refusesInWords(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    return error instanceof Fault && error.code === 'bad-input' && !/\p{Cc}/u.test(error.message);
  }
}

describe('choosePetname', () => {
  it('gives a valid name that is free, of whatever name and whatever is taken', () => {
    fc.assert(
      fc.property(anyText, jid, kind, fc.array(anyText, { maxLength: 5 }), (name, bare, which, taken) => {
        const used: string[] = [...taken];
        for (let round = 0; round < 4; round += 1) {
          const petname = choosePetname(name, bare, which, used);
          expect(parsePetname(petname)).toBe(petname);
          expect(used.map(foldPetname)).not.toContain(foldPetname(petname));
          used.push(petname);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a name that is valid, short and free', () => {
    fc.assert(
      fc.property(shortName, jid, (name, bare) => {
        fc.pre(name !== 'head');
        expect(choosePetname(name, bare, 'own', [])).toBe(name);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parsePeers', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(peer, { maxLength: 6, selector: ({ device }) => device }), (peers) => {
        expect(parsePeers(JSON.parse(JSON.stringify(formatPeers(peers))))).toStrictEqual(peers);
      }),
      { numRuns: 200 },
    );
  });

  it('takes or refuses in words whatever JSON may hold', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => refusesInWords(() => parsePeers(value))), { numRuns: 300 });
    const field = fc.constantFrom(...Object.keys(makePeer('x')), 'address', 'lastSeen', FOREIGN);
    fc.assert(
      fc.property(peer, field, fc.jsonValue(), (good, name, value) => {
        return refusesInWords(() => parsePeers({ version: 1, peers: [{ ...good, [name]: value }] }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseRepos', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(repo, { maxLength: 6, selector: ({ id }) => id }), (repos) => {
        expect(parseRepos(JSON.parse(JSON.stringify(formatRepos(repos))))).toStrictEqual(repos);
      }),
      { numRuns: 200 },
    );
  });

  it('takes or refuses in words whatever JSON may hold', () => {
    const field = fc.constantFrom(...Object.keys(makeSharedRepo('x')), 'defaultGrant', FOREIGN);
    fc.assert(
      fc.property(repo, field, fc.jsonValue(), (good, name, value) => {
        return refusesInWords(() => parseRepos({ version: 1, repos: [{ ...good, [name]: value }] }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseDeviceName', () => {
  it('gives a name that it takes again unchanged, or refuses in words', () => {
    fc.assert(
      fc.property(anyText, (text) =>
        refusesInWords(() => {
          const name = parseDeviceName(text);
          expect(parseDeviceName(name)).toBe(name);
        }),
      ),
      { numRuns: 300 },
    );
  });
});

describe('parseHostAndPort', () => {
  it('reads every host and port, and refuses the rest in words', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4()), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(parseHostAndPort(`${host}:${port}`)).toEqual({ host, port });
      }),
      { numRuns: 200 },
    );
    fc.assert(fc.property(anyText, (text) => refusesInWords(() => parseHostAndPort(text))), { numRuns: 300 });
  });
});

describe('fingerprintOf', () => {
  it('is the device id, and differs for each key', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 5 }), (seeds) => {
        const keys = seeds.map(makeSpki);
        for (const key of keys) expect(fingerprintOf(key).replaceAll(' ', '')).toBe(deviceIdOf(key));
        expect(new Set(keys.map(fingerprintOf)).size).toBe(keys.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('formatCertificate', () => {
  it('is valid for every key', () => {
    for (let round = 0; round < 50; round += 1) {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const pem = formatCertificate(publicKey.export({ type: 'spki', format: 'der' }), (bytes) => sign(null, bytes, privateKey));
      const certificate = new X509Certificate(pem);
      expect(certificate.verify(publicKey)).toBe(true);
      expect(certificate.toString()).toBe(pem);
    }
  });
});
