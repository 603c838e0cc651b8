import * as fc from 'fast-check';
import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { Fault } from '../../src/lib/errors.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { formatInvite, parseInvite } from '../../src/pairing/invite-format.ts';
import { formatPairingMessage, parsePairingMessage } from '../../src/pairing/messages-format.ts';
import type { OutgoingPairingMessage, PairingMessage } from '../../src/pairing/messages-format.ts';
import { formatCode, makeCode, parseCode, secretOfCode } from '../../src/pairing/words.ts';
import { SHOWER_CARD, TYPER_CARD, carry, converse, hasPaired, makeShower, makeTyper } from '../helpers/pairing.ts';

const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
const code = fc.tuple(fc.integer({ min: 1, max: 9999 }), bytes(4)).map(([number, random]) => makeCode(number, random));

/** The text of a message with one bit turned; undefined when that is no message, or still the same one. */
function flip(message: OutgoingPairingMessage, position: number, bit: number): PairingMessage | undefined {
  const text = Buffer.from(formatPairingMessage(message).toString());
  const at = position % text.length;
  text[at] = (text[at] ?? 0) ^ (1 << bit);
  try {
    const read = parsePairingMessage(parse(text.toString('utf8')));
    return JSON.stringify(read) === JSON.stringify(carry(message)) ? undefined : read;
  } catch {
    return undefined;
  }
}

/** One bit of one of the fields turned, past the codec. */
function flipField(message: OutgoingPairingMessage, position: number): OutgoingPairingMessage {
  const turn = (field: Uint8Array): Uint8Array => {
    const at = position % (field.length * 8);
    return field.map((byte, index) => (index === at >> 3 ? byte ^ (1 << (at & 7)) : byte));
  };
  if (message.type === 'hello') return { ...message, nonce: turn(message.nonce) };
  if (message.type === 'share') return { ...message, share: turn(message.share) };
  return position % 2 === 0 ? { ...message, tag: turn(message.tag) } : { ...message, sealed: turn(message.sealed) };
}

describe('pairing', () => {
  it('succeeds for any code and any random bytes', () => {
    fc.assert(
      fc.property(code, bytes(32), bytes(48), (shown, a, b) => {
        const secret = secretOfCode(shown);
        const { typer, shower } = converse(makeShower({ secret, random: a }), makeTyper({ secret, random: b }));
        expect(typer).toEqual([{ type: 'paired', card: SHOWER_CARD }]);
        expect(shower.at(-1)).toEqual({ type: 'paired', card: TYPER_CARD });
      }),
      { numRuns: 50 },
    );
  });

  it('never succeeds with any other words', () => {
    fc.assert(
      fc.property(code, bytes(4), bytes(32), bytes(48), (shown, guess, a, b) => {
        const typed = makeCode(shown.number, guess);
        fc.pre(typed.words.join(' ') !== shown.words.join(' '));
        const shower = makeShower({ secret: secretOfCode(shown), random: a });
        const talk = converse(shower, makeTyper({ secret: secretOfCode(typed), random: b }));
        expect(hasPaired(talk.typer) || hasPaired(talk.shower)).toBe(false);
        expect(shower.isSpent).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('never succeeds for the reader of a message in which a bit was turned', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(1 << 20), (target, position) => {
        const { typer, shower } = converse(makeShower(), makeTyper(), (message, index) =>
          carry(index === target ? flipField(message, position) : message),
        );
        expect(hasPaired(typer)).toBe(false);
        // The shower's last message comes after it has paired: only the typer can notice that one.
        expect(hasPaired(shower)).toBe(target === 5);
      }),
      { numRuns: 200 },
    );
  });

  it('never succeeds, nor fails otherwise than by a fault, when a bit of the XML was turned', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(1 << 20), fc.nat(7), (target, position, bit) => {
        const { typer, shower } = converse(makeShower(), makeTyper(), (message, index) =>
          index === target ? flip(message, position, bit) : carry(message),
        );
        expect(hasPaired(typer)).toBe(false);
        expect(hasPaired(shower)).toBe(target === 5);
        for (const event of typer) expect(event.type === 'refused' && event.why instanceof Fault).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parsePairingMessage', () => {
  const id = fc.oneof(fc.integer({ min: 1, max: 9999 }).map(String), bytes(16).map((each) => Buffer.from(each).toString('hex')));
  const message: fc.Arbitrary<OutgoingPairingMessage> = fc.oneof(
    bytes(16).map((nonce) => ({ type: 'hello', version: 1, nonce }) as const),
    fc.tuple(id, bytes(16)).map(([id, nonce]) => ({ type: 'hello', version: 1, id, nonce }) as const),
    bytes(32).map((share) => ({ type: 'share', share }) as const),
    fc
      .tuple(bytes(32), fc.uint8Array({ minLength: 17, maxLength: 6000 }))
      .map(([tag, sealed]) => ({ type: 'confirm', tag, sealed }) as const),
  );

  it('reads what formatPairingMessage writes', () => {
    fc.assert(
      fc.property(message, (each) => {
        expect(carry(each)).toEqual(each);
      }),
    );
  });
});

describe('parseCode', () => {
  const separator = fc.constantFrom('-', ' ', '  ', ' - ', '\t', '–', '.');

  it('reads what formatCode writes, in any case and spacing', () => {
    fc.assert(
      fc.property(code, separator, fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }), (each, between, isUpper) => {
        expect(parseCode(formatCode(each))).toEqual(each);
        const spaced = ` ${formatCode(each).replaceAll('-', between)} `;
        const typed = Array.from(spaced, (letter, index) => (isUpper[index] === true ? letter.toUpperCase() : letter)).join('');
        expect(parseCode(typed)).toEqual(each);
      }),
      { numRuns: 300 },
    );
  });

  it('knows every word by its first four letters', () => {
    for (const word of wordlist) expect(parseCode(`1-${word.slice(0, 4)}-zoo`).words[0]).toBe(word);
  });

  it('takes any text as a code or refuses it by a fault', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120 }), (text) => {
        try {
          expect(parseCode(formatCode(parseCode(text)))).toEqual(parseCode(text));
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseInvite', () => {
  it('reads what formatInvite writes', () => {
    const isLocal = (text: string): boolean => /^[^\s"&'/:<>@\p{Cc}\p{Cs}]+$/u.test(text);
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isLocal);
    fc.assert(
      fc.property(local, bytes(32), (name, secret) => {
        const invite = { jid: parseBareJid(`${name}@example.org`), secret };
        expect(parseInvite(formatInvite(invite))).toEqual(invite);
      }),
      { numRuns: 200 },
    );
  });
});
