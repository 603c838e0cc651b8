// Typing a code or pasting an invite: finds who shows it, and asks (docs/PROTOCOL.md, "Pairing"). Rule: nobody retries a code by
// itself; each IQ has a deadline, and a silent other side is told apart from a refusal.

import { Fault } from '../lib/errors.ts';
import { parseFullJid, bareOf } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import type { DeviceCard } from '../pairing/card-format.ts';
import type { PairingSecret } from '../pairing/exchange.ts';
import { formatPairingMessage, parsePairingMessage } from '../pairing/messages-format.ts';
import type { OutgoingPairingMessage } from '../pairing/messages-format.ts';
import { parseRefusal } from '../pairing/refusal-format.ts';
import { TYPER_RANDOM_BYTES, TyperMachine } from '../pairing/typer-machine.ts';
import type { TyperOutcome } from '../pairing/typer-machine.ts';
import type { Connection } from '../xmpp/connection.ts';
import { attrOf } from '../xmpp/element.ts';
import { read } from '../xmpp/pep.ts';
import { StanzaFault } from '../xmpp/stanza-fault.ts';
import { pairNode } from './pair-show.ts';

const IQ_DEADLINE_MS = 15_000;

export interface TypeOptions {
  readonly secret: PairingSecret;
  /** The account that shows it. */
  readonly account: BareJid;
  /** The device that shows it, where it was named: then nothing is looked up. */
  readonly shower?: FullJid | undefined;
  readonly card: DeviceCard;
  readonly random: (size: number) => Uint8Array;
  /** Nothing more is sent after it. */
  readonly signal: AbortSignal;
}

/**
 * Pairs with whoever shows `secret`.
 * @throws Fault `bad-code`, `code-spent`, `peer-offline`, `newer-protocol` …
 */
export async function typeSecret(connection: Connection, options: TypeOptions): Promise<DeviceCard> {
  const shower = options.shower ?? (await findShower(connection, options));
  const machine = new TyperMachine({
    secret: options.secret,
    card: options.card,
    shower,
    random: options.random(TYPER_RANDOM_BYTES),
  });
  let next: OutgoingPairingMessage | undefined = machine.begin();
  while (next !== undefined) {
    // Once the last one is sent the other device may have paired, so its answer is waited for.
    if (options.signal.aborted) throw new Fault('bad-code', 'whoever typed the code has gone');
    const outcome: TyperOutcome = await ask(connection, { shower, machine, message: next });
    if (outcome.event?.type === 'paired') return outcome.event.card;
    if (outcome.event?.type === 'refused') throw outcome.event.why;
    next = outcome.reply;
  }
  throw new Fault('bad-code', 'pairing ended without a result', { remedy: 'begin again with a new code' });
}

async function findShower(connection: Connection, { secret, account }: TypeOptions): Promise<FullJid> {
  const item = await read(connection, account, pairNode(secret.id));
  if (item === undefined) {
    const [what, command] = secret.kind === 'code' ? [`code number ${secret.id}`, 'git xmpp pair'] : ['such an invite', 'git xmpp pair --invite'];
    const isOwnCode = secret.kind === 'code' && account === bareOf(connection.jid);
    const hint = isOwnCode ? ' (for a device of another account, add --with its-jid)' : '';
    throw new Fault('bad-code', `no device of ${account} shows ${what}`, { remedy: `run "${command}" there and type what it shows${hint}` });
  }
  const shower = parseFullJid(attrOf(item, 'jid') ?? '');
  if (bareOf(shower) !== account) throw new Fault('bad-code', `${account} points to a device of another account`);
  return shower;
}

async function ask(
  connection: Connection,
  { shower, machine, message }: { readonly shower: FullJid; readonly machine: TyperMachine; readonly message: OutgoingPairingMessage },
): Promise<TyperOutcome> {
  try {
    const answer = await connection.iq('set', shower, formatPairingMessage(message), { timeoutMs: IQ_DEADLINE_MS });
    if (answer === undefined) throw new Fault('bad-code', 'that device answered nothing', { remedy: 'begin again with a new code' });
    return machine.receive(parsePairingMessage(answer));
  } catch (error) {
    const known = error instanceof StanzaFault ? parseRefusal(error.application) : undefined;
    if (known !== undefined) return machine.receiveRefusal(known);
    const isGone = error instanceof StanzaFault && error.condition === 'service-unavailable';
    if (!isGone) throw error;
    throw new Fault('peer-offline', 'the device that showed this code is not there any more', {
      remedy: 'run "git xmpp pair" there again',
      cause: error,
    });
  }
}
