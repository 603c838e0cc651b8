// Two sides of a pairing in one process, joined by their real XML. Rule: keys are real, nothing is sent but what the codecs make.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { parse } from 'ltx';
import { Burns } from '../../src/pairing/burns.ts';
import type { DeviceCard } from '../../src/pairing/card-format.ts';
import { formatPairingMessage, parsePairingMessage } from '../../src/pairing/messages-format.ts';
import type { OutgoingPairingMessage, PairingMessage } from '../../src/pairing/messages-format.ts';
import { ShowerMachine } from '../../src/pairing/shower-machine.ts';
import type { ShowerEvent, ShowerOptions } from '../../src/pairing/shower-machine.ts';
import { TyperMachine } from '../../src/pairing/typer-machine.ts';
import type { TyperEvent, TyperOptions } from '../../src/pairing/typer-machine.ts';
import { bareOf, parseFullJid } from '../../src/lib/jid.ts';
import { parseDeviceId } from '../../src/lib/names.ts';
import { secretOfCode } from '../../src/pairing/words.ts';

export const SHOWER_JID = parseFullJid('anna@example.org/git-xmpp-shower01');
export const TYPER_JID = parseFullJid('anna@example.org/git-xmpp-typer001');
export const OTHER_JID = parseFullJid('eve@example.net/git-xmpp-other001');
export const CODE = secretOfCode({ number: 4, words: ['cross', 'clock'] });
export const NOW = 1_700_000_000_000;

/** A card with a fresh key. */
export function makeCard(address: string, name = 'laptop'): DeviceCard {
  const der = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
  const full = parseFullJid(address);
  return {
    device: parseDeviceId(createHash('sha256').update(der).digest('hex').slice(0, 32)),
    name,
    spki: der.toString('base64'),
    recipient: `age1${'q'.repeat(58)}`,
    jid: bareOf(full),
    address: full,
    version: 1,
  };
}

export const SHOWER_CARD = makeCard(SHOWER_JID, 'desktop');
export const TYPER_CARD = makeCard(TYPER_JID, 'laptop');

export function makeShower(changes: Partial<ShowerOptions> = {}): ShowerMachine {
  const random = new Uint8Array(32).fill(7);
  return new ShowerMachine({ secret: CODE, card: SHOWER_CARD, random, burns: new Burns(), ...changes });
}

export function makeTyper(changes: Partial<TyperOptions> = {}): TyperMachine {
  return new TyperMachine({ secret: CODE, card: TYPER_CARD, shower: SHOWER_JID, random: new Uint8Array(48).fill(9), ...changes });
}

/** Over the wire: what the other side reads of `message`. */
export function carry(message: OutgoingPairingMessage): PairingMessage {
  return parsePairingMessage(parse(formatPairingMessage(message).toString()));
}

export interface Conversation {
  readonly typer: readonly TyperEvent[];
  readonly shower: readonly ShowerEvent[];
  /** How many messages went over the wire. */
  readonly length: number;
}

/** May change the message with this index, from 0; undefined loses it. */
export type Tamper = (message: OutgoingPairingMessage, index: number) => PairingMessage | undefined;

/** Lets the two talk until there is nothing more to say. */
export function converse(shower: ShowerMachine, typer: TyperMachine, tamper: Tamper = carry): Conversation {
  const events = { typer: [] as TyperEvent[], shower: [] as ShowerEvent[] };
  let next: OutgoingPairingMessage | undefined = typer.begin();
  let length = 0;
  const pass = (message: OutgoingPairingMessage): PairingMessage | undefined => tamper(message, length++);
  while (next !== undefined) {
    const request = pass(next);
    if (request === undefined) break;
    const answered = shower.receive(request, { from: TYPER_JID, now: NOW });
    if (answered.event !== undefined) events.shower.push(answered.event);
    const answer = answered.reply === undefined ? undefined : pass(answered.reply);
    if (answer === undefined && answered.refusal === undefined) break;
    const outcome = answer === undefined ? typer.receiveRefusal(answered.refusal ?? 'busy') : typer.receive(answer);
    if (outcome.event !== undefined) events.typer.push(outcome.event);
    next = outcome.reply;
  }
  return { ...events, length };
}

/** Whether either side believes that it is paired. */
export function hasPaired(events: readonly (TyperEvent | ShowerEvent)[]): boolean {
  return events.some(({ type }) => type === 'paired');
}
