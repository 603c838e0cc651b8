import { describe, expect, it } from 'vitest';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { BURN_WINDOW_MS, Burns } from '../../../src/pairing/burns.ts';
import { makeInvite, secretOfInvite } from '../../../src/pairing/invite-format.ts';
import type { OutgoingPairingMessage } from '../../../src/pairing/messages-format.ts';
import { ATTEMPT_MS } from '../../../src/pairing/shower-machine.ts';
import type { ShowerMachine, ShowerOutcome } from '../../../src/pairing/shower-machine.ts';
import type { TyperMachine } from '../../../src/pairing/typer-machine.ts';
import { secretOfCode } from '../../../src/pairing/words.ts';
import { CODE, NOW, OTHER_JID, SHOWER_CARD, SHOWER_JID, TYPER_CARD, TYPER_JID } from '../../helpers/pairing.ts';
import { carry, converse, makeCard, makeShower, makeTyper } from '../../helpers/pairing.ts';

const WRONG = secretOfCode({ number: 4, words: ['cross', 'zoo'] });
const INVITE = secretOfInvite(makeInvite(parseBareJid('anna@example.org'), new Uint8Array(32).fill(5)));
const WRONG_INVITE = { ...INVITE, secret: new Uint8Array(32).fill(6) };

const BURNT = { type: 'burnt', by: TYPER_JID, waitMs: 0 };
const refusedAs = (code: string): object => ({ type: 'refused', why: expect.objectContaining({ code }) });

const say = (shower: ShowerMachine, message: OutgoingPairingMessage, from = TYPER_JID, now = NOW): ShowerOutcome =>
  shower.receive(carry(message), { from, now });

/** The hello and the share of `typer`, both answered. */
function reachKeys(shower: ShowerMachine, typer: TyperMachine): OutgoingPairingMessage {
  let next: OutgoingPairingMessage | undefined = typer.begin();
  for (let step = 0; step < 2 && next !== undefined; step += 1) {
    const { reply } = say(shower, next);
    next = reply === undefined ? undefined : typer.receive(carry(reply)).reply;
  }
  if (next?.type !== 'confirm') throw new Error('the two did not come to confirm');
  return next;
}

describe('ShowerMachine', () => {
  it('pairs with a typer of the same words, and hands both the card of the other', () => {
    expect(converse(makeShower(), makeTyper())).toEqual({
      shower: [
        { type: 'attempt', by: TYPER_JID },
        { type: 'paired', card: TYPER_CARD },
      ],
      typer: [{ type: 'paired', card: SHOWER_CARD }],
      length: 6,
    });
  });

  it('is found by the code’s number', () => {
    expect(makeShower().id).toBe('4');
  });

  it('keeps its tag to itself until the typer’s was right', () => {
    const shower = makeShower();
    const confirm = reachKeys(shower, makeTyper({ secret: WRONG }));
    expect(say(shower, confirm)).toEqual({ refusal: 'wrong-code', event: BURNT });
  });

  it('is spent after one wrong guess, even for the right words', () => {
    const shower = makeShower();
    converse(shower, makeTyper({ secret: WRONG }));
    expect(shower.isSpent).toBe(true);
    expect(say(shower, makeTyper().begin())).toEqual({ refusal: 'code-spent' });
    expect(say(shower, makeTyper().begin(), OTHER_JID)).toEqual({ refusal: 'code-spent' });
  });

  it('is spent after pairing', () => {
    const shower = makeShower();
    converse(shower, makeTyper());
    expect(converse(shower, makeTyper()).typer).toEqual([refusedAs('code-spent')]);
  });

  it('is not spent by a hello alone', () => {
    const shower = makeShower();
    say(shower, makeTyper().begin(), OTHER_JID, NOW);
    expect(shower.wakeup(NOW + ATTEMPT_MS)).toBeUndefined();
    expect(shower.isSpent).toBe(false);
    expect(say(shower, makeTyper().begin(), TYPER_JID, NOW + ATTEMPT_MS).reply).toMatchObject({ type: 'hello' });
  });

  it.each([
    ['the identity', new Uint8Array(32)],
    ['no point', new Uint8Array(32).fill(255)],
  ])('is not spent by a share that is %s, and ends the try', (_name, share) => {
    const shower = makeShower();
    say(shower, makeTyper().begin());
    expect(say(shower, { type: 'share', share })).toEqual({ refusal: 'bad-message' });
    expect(shower.isSpent).toBe(false);
    expect(say(shower, { type: 'share', share: SOME_POINT })).toEqual({ refusal: 'bad-message' });
  });

  it('is spent once a share was answered, whatever comes next', () => {
    const shower = makeShower();
    reachKeys(shower, makeTyper());
    expect(say(shower, makeTyper().begin())).toEqual({
      refusal: 'code-spent',
      event: BURNT,
    });
    expect(shower.isSpent).toBe(true);
  });

  it('burns a code whose guess fell silent, and names who made it', () => {
    const shower = makeShower();
    reachKeys(shower, makeTyper());
    expect(shower.nextWakeup).toBe(NOW + ATTEMPT_MS);
    expect(shower.wakeup(NOW + ATTEMPT_MS - 1)).toBeUndefined();
    expect(shower.wakeup(NOW + ATTEMPT_MS)).toEqual(BURNT);
    expect(shower.nextWakeup).toBeUndefined();
  });

  it('tells of a silent guess when the next one comes, too', () => {
    const shower = makeShower();
    reachKeys(shower, makeTyper());
    expect(say(shower, makeTyper().begin(), OTHER_JID, NOW + ATTEMPT_MS)).toEqual({
      refusal: 'code-spent',
      event: BURNT,
    });
  });

  it('ends a silent try when the clock is set back', () => {
    const shower = makeShower();
    say(shower, makeTyper().begin(), OTHER_JID, NOW);
    expect(say(shower, makeTyper().begin(), TYPER_JID, NOW - 3_600_000).reply).toMatchObject({ type: 'hello' });
  });

  it('has one try at a time', () => {
    const shower = makeShower();
    const typer = makeTyper();
    const { reply } = say(shower, typer.begin());
    expect(say(shower, makeTyper().begin(), OTHER_JID)).toEqual({ refusal: 'busy' });
    const share = reply === undefined ? undefined : typer.receive(carry(reply)).reply;
    if (share === undefined) throw new Error('no share');
    expect(say(shower, share, OTHER_JID)).toEqual({ refusal: 'busy' });
    expect(say(shower, share).reply).toMatchObject({ type: 'share' });
    expect(say(shower, share, OTHER_JID)).toEqual({ refusal: 'busy' });
  });

  it('answers a hello again with another nonce, and tells of it once', () => {
    const shower = makeShower();
    const first = say(shower, makeTyper().begin());
    const second = say(shower, makeTyper().begin());
    expect(first.event).toEqual({ type: 'attempt', by: TYPER_JID });
    expect(second.event).toBeUndefined();
    expect(second.reply).not.toEqual(first.reply);
  });

  it('knows no other number', () => {
    const shower = makeShower();
    expect(say(shower, { type: 'hello', version: 1, id: '5', nonce: new Uint8Array(16) })).toEqual({ refusal: 'wrong-code' });
    expect(say(shower, { type: 'hello', version: 1, nonce: new Uint8Array(16) })).toEqual({ refusal: 'wrong-code' });
    expect(shower.isSpent).toBe(false);
  });

  it('refuses a newer version by name', () => {
    const shower = makeShower();
    expect(say(shower, { type: 'hello', version: 2, id: '4', nonce: new Uint8Array(16) })).toEqual({
      refusal: 'newer-version',
      event: { ...refusedAs('newer-protocol'), by: TYPER_JID },
    });
    expect(shower.isSpent).toBe(false);
  });

  it('refuses what comes out of turn', () => {
    const confirm = { type: 'confirm', tag: new Uint8Array(32), sealed: new Uint8Array(40) } as const;
    expect(say(makeShower(), { type: 'share', share: SOME_POINT })).toEqual({ refusal: 'bad-message' });
    expect(say(makeShower(), confirm)).toEqual({ refusal: 'bad-message' });
    const shower = makeShower();
    say(shower, makeTyper().begin());
    expect(say(shower, confirm)).toEqual({ refusal: 'bad-message' });
  });

  it('burns the code when the card names another address than the stanza', () => {
    const shower = makeShower();
    const typer = makeTyper();
    const liar = makeCard(OTHER_JID);
    expect(() => makeTyper({ card: liar })).not.toThrow();
    expect(converse(shower, makeTyper({ card: liar })).shower).toContainEqual(BURNT);
    expect(converse(shower, typer).typer).toEqual([refusedAs('code-spent')]);
  });

  it('does not pair with its own card under another address', () => {
    const own = { ...SHOWER_CARD, address: TYPER_JID };
    const { shower } = converse(makeShower(), makeTyper({ card: own }));
    expect(shower).toContainEqual(BURNT);
  });

  it('says to wait after the third burnt code in ten minutes', () => {
    const burns = new Burns();
    const waits = [1, 2, 3].map(() => converse(makeShower({ burns }), makeTyper({ secret: WRONG })).shower.at(-1));
    expect(waits.map((event) => (event?.type === 'burnt' ? event.waitMs : undefined))).toEqual([0, 0, BURN_WINDOW_MS]);
  });

  it('refuses to start with too little randomness, or a card that nobody would take', () => {
    expect(() => makeShower({ random: new Uint8Array(16) })).toThrow(/32 random bytes/);
    expect(() => makeShower({ card: { ...SHOWER_CARD, name: '' } })).toThrow(/name/);
  });
});

describe('ShowerMachine with an invite', () => {
  it('is not burnt by wrong tries, and pairs once with the right one', () => {
    const burns = new Burns();
    const shower = makeShower({ secret: INVITE, burns });
    for (let count = 0; count < 5; count += 1) {
      const { shower: events, typer } = converse(shower, makeTyper({ secret: WRONG_INVITE }));
      expect(events.filter(({ type }) => type !== 'attempt')).toEqual([]);
      expect(typer).toEqual([refusedAs('bad-code')]);
    }
    expect(burns.waitMs(NOW)).toBe(0);
    expect(converse(shower, makeTyper({ secret: INVITE })).typer).toEqual([{ type: 'paired', card: SHOWER_CARD }]);
    expect(shower.isSpent).toBe(true);
  });

  it('begins each try with another share and nonce', () => {
    const shower = makeShower({ secret: INVITE });
    const replies = [1, 2].map(() => {
      const hello = say(shower, makeTyper({ secret: INVITE }).begin()).reply;
      return { hello, share: say(shower, { type: 'share', share: SOME_POINT }).reply };
    });
    expect(replies[0]?.hello).not.toEqual(replies[1]?.hello);
    expect(replies[0]?.share).not.toEqual(replies[1]?.share);
  });

  it('outlives a try that fell silent', () => {
    const shower = makeShower({ secret: INVITE });
    reachKeys(shower, makeTyper({ secret: INVITE }));
    expect(shower.wakeup(NOW + ATTEMPT_MS)).toBeUndefined();
    expect(shower.isSpent).toBe(false);
  });
});

const SOME_POINT = makePoint();

/** A share as any typer sends it. */
function makePoint(): Uint8Array {
  const typer = makeTyper();
  typer.begin();
  const { reply } = typer.receive({ type: 'hello', version: 1, nonce: new Uint8Array(16) });
  if (reply?.type !== 'share') throw new Error('no share');
  return reply.share;
}

describe('the two machines', () => {
  it('do not pair when the stanzas came from another address than the typer believes', () => {
    const shower = makeShower();
    const typer = makeTyper();
    let next: OutgoingPairingMessage | undefined = typer.begin();
    const refusals: unknown[] = [];
    while (next !== undefined) {
      const outcome: ShowerOutcome = say(shower, next, OTHER_JID);
      refusals.push(outcome.refusal);
      next = outcome.reply === undefined ? undefined : typer.receive(carry(outcome.reply)).reply;
    }
    expect(refusals.at(-1)).toBe('wrong-code');
  });

  it('do not pair when the shower is at another address than the typer believes', () => {
    const shower = makeShower({ card: makeCard(`${SHOWER_JID}2`) });
    expect(converse(shower, makeTyper()).typer).toEqual([refusedAs('bad-code')]);
  });

  it('use nothing of a code but its words', () => {
    const other = { ...CODE, secret: Uint8Array.of(...CODE.secret, 0) };
    expect(converse(makeShower(), makeTyper({ secret: other })).shower).toContainEqual(BURNT);
  });
});
