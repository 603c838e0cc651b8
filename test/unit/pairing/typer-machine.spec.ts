import { describe, expect, it } from 'vitest';
import type { OutgoingPairingMessage } from '../../../src/pairing/messages-format.ts';
import type { TyperEvent, TyperMachine } from '../../../src/pairing/typer-machine.ts';
import { CODE, SHOWER_CARD, SHOWER_JID, TYPER_CARD } from '../../helpers/pairing.ts';
import { carry, converse, makeCard, makeShower, makeTyper } from '../../helpers/pairing.ts';

const hello = (nonce = new Uint8Array(16)): OutgoingPairingMessage => ({ type: 'hello', version: 1, nonce });

/** A typer that has sent its share, and that share. */
function reachShare(): { typer: TyperMachine; share: Uint8Array } {
  const typer = makeTyper();
  typer.begin();
  const { reply } = typer.receive(carry(hello()));
  if (reply?.type !== 'share') throw new Error('no share');
  return { typer, share: reply.share };
}

const refused = (code: string): TyperEvent => ({ type: 'refused', why: expect.objectContaining({ code }) });

describe('TyperMachine', () => {
  it('begins with a hello that names the code and holds its own nonce', () => {
    const random = Uint8Array.from({ length: 48 }, (_, index) => index);
    expect(makeTyper({ random }).begin()).toEqual({ type: 'hello', version: 1, id: '4', nonce: random.slice(0, 16) });
  });

  it('begins once', () => {
    const typer = makeTyper();
    typer.begin();
    expect(() => typer.begin()).toThrow(/begun already/);
  });

  it('confirms before the shower does', () => {
    const said: string[] = [];
    converse(makeShower(), makeTyper(), (message, index) => {
      said.push(`${index % 2 === 0 ? 'typer' : 'shower'} ${message.type}`);
      return carry(message);
    });
    expect(said).toEqual(['typer hello', 'shower hello', 'typer share', 'shower share', 'typer confirm', 'shower confirm']);
  });

  it('ends with the card of the shower, and listens no more', () => {
    const typer = makeTyper();
    expect(converse(makeShower(), typer).typer).toEqual([{ type: 'paired', card: SHOWER_CARD }]);
    expect(typer.receive(carry(hello()))).toEqual({});
  });

  it('refuses its own share sent back', () => {
    const { typer, share } = reachShare();
    expect(typer.receive(carry({ type: 'share', share })).event).toEqual(refused('bad-input'));
  });

  it('refuses the identity', () => {
    const { typer } = reachShare();
    expect(typer.receive(carry({ type: 'share', share: new Uint8Array(32) })).event).toEqual(refused('bad-input'));
  });

  it('refuses its own confirmation sent back', () => {
    let own: OutgoingPairingMessage | undefined;
    const { typer } = converse(makeShower(), makeTyper(), (message, index) => {
      if (index === 4) own = message;
      return carry(index === 5 && own !== undefined ? own : message);
    });
    expect(typer).toEqual([refused('bad-code')]);
  });

  it('tells a wrong code from a spent one', () => {
    const wrong = { ...CODE, secret: new Uint8Array(3) };
    expect(converse(makeShower(), makeTyper({ secret: wrong })).typer).toEqual([refused('bad-code')]);
    const typer = makeTyper();
    typer.begin();
    expect(typer.receiveRefusal('code-spent').event).toEqual(refused('code-spent'));
  });

  it('asks to update when the shower speaks a newer version', () => {
    const typer = makeTyper();
    typer.begin();
    const { event } = typer.receive(carry({ type: 'hello', version: 2, nonce: new Uint8Array(16) }));
    const why = expect.objectContaining({ code: 'newer-protocol', remedy: 'update git-xmpp here' });
    expect(event).toEqual({ type: 'refused', why });
  });

  it.each([
    ['a share before the hello', { type: 'share', share: new Uint8Array(32) }],
    ['a confirmation before the hello', { type: 'confirm', tag: new Uint8Array(32), sealed: new Uint8Array(40) }],
    ['a hello that asks', { type: 'hello', version: 1, id: '4', nonce: new Uint8Array(16) }],
  ] as const)('ends at %s', (_name, message) => {
    const typer = makeTyper();
    typer.begin();
    expect(typer.receive(carry(message)).event).toEqual(refused('bad-code'));
    expect(typer.receive(carry(hello()))).toEqual({});
    expect(typer.receiveRefusal('busy')).toEqual({});
  });

  it('ends at a second hello', () => {
    const { typer } = reachShare();
    expect(typer.receive(carry(hello())).event).toEqual(refused('bad-code'));
  });

  it('does not take a card of another address, nor its own', () => {
    const elsewhere = makeShower({ card: SHOWER_CARD });
    const typer = makeTyper({ card: { ...SHOWER_CARD, address: TYPER_CARD.address } });
    expect(converse(elsewhere, typer).typer.some(({ type }) => type === 'paired')).toBe(false);
  });

  it('refuses a code that this very device shows', () => {
    expect(() => makeTyper({ card: makeCard(SHOWER_JID) })).toThrow(expect.objectContaining({ code: 'wrong-use' }));
  });

  it('refuses to start with too little randomness', () => {
    expect(() => makeTyper({ random: new Uint8Array(32) })).toThrow(/48 random bytes/);
  });
});
