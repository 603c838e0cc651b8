import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/lib/backoff.ts';
import { decodeBase64, encodeBase64 } from '../../src/lib/base64.ts';
import { ByteQueue, concatBytes, equalBytes, utf8 } from '../../src/lib/bytes.ts';
import { asFault, InputFault } from '../../src/lib/errors.ts';
import { bareOf, domainOf, localOf, parseBareJid, parseFullJid, shorten } from '../../src/lib/jid.ts';
import { createLog, redact, redactLog } from '../../src/lib/log.ts';
import { isRefName, parseDeviceId, parseOid, parsePetname, parseRefName, parseRepoId, parseRepoName } from '../../src/lib/names.ts';
import { SerialByKey } from '../../src/lib/serial.ts';

const RUNS = { numRuns: 300 };
const letter = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'aZ9._-/@{~^:?*[\\ .lock'.split('')) },
  { weight: 1, arbitrary: fc.constantFrom('.lock', '..', '@{', 'ü', 'İ', 'ß', '\u0308', '\u{1f600}', '\ud83d', '\0', '\n', '\x7f', '\x85') },
);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: letter, maxLength: 20 }));

/** What a parser gives, or undefined when it refuses as it should. */
function parsed<T>(parse: (text: string) => T, given: string): T | undefined {
  try {
    return parse(given);
  } catch (error) {
    expect(error).toBeInstanceOf(InputFault);
    return undefined;
  }
}

describe('the parsers of names', () => {
  it.each([parseOid, parseRefName, parseRepoId, parseDeviceId, parsePetname, parseRepoName])('%o takes a text as it is or refuses it in words', (parse) => {
    fc.assert(
      fc.property(text, (given) => {
        const name = parsed<string>(parse, given);
        if (name !== undefined) expect(name).toBe(given);
      }),
      RUNS,
    );
  });
});

describe('isRefName', () => {
  it('never takes a name that git refuses', () => {
    const name = fc.string({ unit: letter, minLength: 1, maxLength: 12 }).map((end) => `refs/heads/${end}`);
    let taken = 0;
    fc.assert(
      fc.property(fc.array(name, { minLength: 40, maxLength: 40 }), (names) => {
        for (const each of names.filter(isRefName)) {
          taken += 1;
          expect(spawnSync('git', ['check-ref-format', each]).status, each).toBe(0);
        }
      }),
      { numRuns: 15 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  it('takes what git takes, of letters that are no control characters', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab.-@/{ü'.split('')), minLength: 1, maxLength: 6 }).map((end) => `refs/heads/${end}`);
    fc.assert(
      fc.property(fc.array(name, { minLength: 20, maxLength: 20 }), (names) => {
        for (const each of names) expect(isRefName(each), each).toBe(spawnSync('git', ['check-ref-format', each]).status === 0);
      }),
      { numRuns: 15 },
    );
  });
});

describe('parseBareJid and parseFullJid', () => {
  it('give a JID that they take again unchanged', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), fc.string({ unit: letter, minLength: 1, maxLength: 8 }));
    let taken = 0;
    fc.assert(
      fc.property(part, part, part, (local, domain, resource) => {
        const bare = parsed(parseBareJid, `${local}@${domain}`);
        if (bare === undefined) return;
        taken += 1;
        expect(parseBareJid(bare)).toBe(bare);
        expect(`${localOf(bare)}@${domainOf(bare)}`).toBe(bare);
        const full = parsed(parseFullJid, `${bare}/${resource}`);
        if (full !== undefined) expect([bareOf(full), full.slice(bare.length + 1)]).toEqual([bare, resource]);
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(200);
  });
});

describe('shorten', () => {
  it('is short and of one line, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (given) => {
        expect(shorten(given).length).toBeLessThanOrEqual(80);
        expect(shorten(given)).not.toMatch(/\p{Cc}/u);
      }),
      RUNS,
    );
  });
});

describe('encodeBase64 and decodeBase64', () => {
  it('give every byte string back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const encoded = encodeBase64(bytes);
        expect(encoded).toBe(Buffer.from(bytes).toString('base64'));
        expect(decodeBase64(encoded, bytes.length)).toEqual(bytes);
      }),
      RUNS,
    );
  });

  it('refuse every text but the one that a byte string has', () => {
    const near = fc.oneof(fc.base64String({ maxLength: 20 }), fc.string({ unit: fc.constantFrom(...'AQgw+/=\n-_ '.split('')), maxLength: 8 }), text);
    fc.assert(
      fc.property(near, (given) => {
        const bytes = parsed(decodeBase64, given);
        if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(given);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ByteQueue', () => {
  it('is a queue of bytes', () => {
    const command = fc.oneof(
      fc.record({ do: fc.constant('push' as const), bytes: fc.uint8Array({ maxLength: 30 }) }),
      fc.record({ do: fc.constantFrom('take' as const, 'peek' as const, 'drop' as const), count: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const queue = new ByteQueue();
        let model = Buffer.alloc(0);
        for (const each of commands) {
          if (each.do === 'push') {
            queue.push(each.bytes);
            model = Buffer.concat([model, each.bytes]);
          } else {
            const expected = model.subarray(0, each.count);
            if (each.do === 'drop') queue.drop(each.count);
            else expect(equalBytes(queue[each.do](each.count), expected)).toBe(true);
            if (each.do !== 'peek') model = model.subarray(expected.length);
          }
          expect(queue.length).toBe(model.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('concatBytes', () => {
  it('loses and adds nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (parts) => {
        expect(equalBytes(concatBytes(parts), Buffer.concat(parts))).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('Backoff', () => {
  it('waits between a half of its base and its cap, and never less than half of what it waited before', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1000, max: 1e7 }), (draws, baseMs, capMs) => {
        const backoff = new Backoff({ baseMs, capMs });
        let before = 0;
        for (const draw of draws) {
          const wait = backoff.fail(draw);
          expect(wait).toBeGreaterThanOrEqual(Math.max(Math.floor(baseMs / 2), Math.floor(before / 2)));
          expect(wait).toBeLessThanOrEqual(capMs);
          before = wait;
        }
      }),
      RUNS,
    );
  });
});

describe('redact', () => {
  const secret = fc.base64String({ minLength: 12, maxLength: 40 }).map((drawn) => drawn.replace(/=+$/, 'A'));
  const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'.split('')), minLength: 3, maxLength: 8 });
  const around = fc.constantFrom('', ' ', 'sent ', '"', '\n', '(', "said='", '<x> ');
  /** Everything that is one, with what of it must not come out. */
  const form = fc.oneof(
    fc.tuple(secret, fc.nat(18)).map(([drawn, which]) => {
      const hex = Buffer.from(drawn).toString('hex');
      const forms: readonly (readonly [string, string])[] = [
        [`git-xmpp:anna@example.org#${drawn}`, drawn],
        [`AGE-SECRET-KEY-1${drawn}`, drawn],
        [`age-secret-key-1${drawn.toLowerCase()}`, drawn.toLowerCase()],
        [`-----BEGIN PRIVATE KEY-----\n${drawn}\n-----END PRIVATE KEY-----`, drawn],
        [`-----BEGIN ENCRYPTED PRIVATE KEY-----\n${drawn}`, drawn],
        [`https://anna:${hex}@host/x.git`, hex],
        [`https://${hex}@host/x.git`, hex],
        [`https://host/x.git?access_token=${hex}&y=1`, hex],
        [`https://host/x?private-token=${hex}`, hex],
        [`ghp_${hex}`, hex],
        [`glpat-${hex}`, hex],
        [`password=${drawn}`, drawn],
        [`"password": "${drawn}"`, drawn],
        [`Passphrase: ${drawn}`, drawn],
        [`Authorization: Bearer ${drawn}`, drawn],
        [`authorization: Basic ${drawn}`, drawn],
        [`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>${drawn}</auth>`, drawn],
        [`<response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">${drawn}</response>`, drawn],
        [`c=biws,r=abc,p=${drawn}${drawn}=`, drawn],
      ];
      return forms[which] ?? ['', 'none'];
    }),
    fc.tuple(fc.integer({ min: 1, max: 9999 }), word, word).map(([number, one, two]) => [`${number}-${one}-${two}`, `${one}-${two}`] as const),
  );

  it('lets no secret through, wherever it stands', () => {
    fc.assert(
      fc.property(form, around, around, ([whole, inner], before, after) => {
        const lines: string[] = [];
        const log = createLog((line) => lines.push(line), 'debug', () => 0);
        log.scope(before + whole + after).info(before + whole + after, { why: before + whole + after });
        expect(lines.join('\n')).not.toContain(inner);
        expect(redactLog(redactLog(whole))).toBe(redactLog(whole));
        expect(redact(redact(whole))).toBe(redact(whole));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('createLog', () => {
  it('writes one line for one event', () => {
    fc.assert(
      fc.property(text, text, (event, value) => {
        const lines: string[] = [];
        createLog((line) => lines.push(line), 'debug', () => 0).info(event, { value });
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(/\p{Cc}/u);
      }),
      RUNS,
    );
  });
});

describe('asFault', () => {
  it('finds words for anything that is thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }), (thrown) => {
        expect(asFault(thrown, 'doing').message).toMatch(/^doing: /);
      }),
      RUNS,
    );
  });
});

describe('SerialByKey', () => {
  it('runs the work of each key in order and one at a time, whatever fails', async () => {
    const job = fc.record({ key: fc.nat(2), turns: fc.nat(3), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(job, { maxLength: 20 }), async (jobs) => {
        const serial = new SerialByKey<number>();
        const running = new Set<number>();
        const done: number[][] = [[], [], []];
        const work = jobs.map(({ key, turns, fails }, index) =>
          serial.run(key, async () => {
            expect(running.has(key)).toBe(false);
            running.add(key);
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            running.delete(key);
            done[key]?.push(index);
            if (fails) throw new Error('broken');
          }),
        );
        const ends = await Promise.allSettled(work);
        expect(ends.map(({ status }) => status === 'rejected')).toEqual(jobs.map(({ fails }) => fails));
        for (const key of [0, 1, 2]) expect(done[key]).toEqual(jobs.flatMap((each, index) => (each.key === key ? [index] : [])));
      }),
      { numRuns: 100 },
    );
  });
});

describe('utf8', () => {
  it('encodes as Buffer does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        expect(equalBytes(utf8(given), Buffer.from(given))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
