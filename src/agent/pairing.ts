// Pairing as the door offers it: a code shown until it is used, or one typed; and what becomes of the card (docs/PROTOCOL.md,
// "Pairing"). Rule: a device becomes a peer only by its card out of a finished exchange, and both ends say whom they got.

import { asFault, Fault } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { bareOf, parseBareJid, parseFullJid } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { parsePetname } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import type { Identity } from '../home/identity.ts';
import { choosePetname } from '../home/peers.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { DeviceCard } from '../pairing/card-format.ts';
import { INVITE_LIFETIME_MS, INVITE_SECRET_BYTES, formatInvite, makeInvite, parseInvite, secretOfInvite } from '../pairing/invite-format.ts';
import { CODE_RANDOM_BYTES, formatCode, makeCode, parseCode, secretOfCode } from '../pairing/words.ts';
import type { ShowerEvent } from '../pairing/shower-machine.ts';
import { PROTOCOL_VERSION } from '../sync/digest-format.ts';
import { makeContact } from '../xmpp/contact.ts';
import type { Connection } from '../xmpp/connection.ts';
import type { PairLine } from './answers.ts';
import type { Events } from './events.ts';
import type { InviteStore, KeptInvite } from './invites.ts';
import type { Showing } from './pair-show.ts';
import { typeSecret } from './pair-type.ts';
import type { TypeOptions as TypeSecretOptions } from './pair-type.ts';

export interface PairingParts {
  readonly identity: () => Identity;
  readonly peers: Peers;
  readonly showing: Showing;
  readonly invites: InviteStore;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: (size: number) => Uint8Array;
  readonly requireConnection: () => Connection;
  /** @throws Fault `not-paired` for a device that was unpaired, which is final */
  readonly checkCard: (card: DeviceCard) => void;
  /** A device became a peer: grants, address record, first contact. */
  readonly onPaired: (peer: Peer, role: 'shower' | 'typer') => Promise<void>;
}

/** What a line of `POST /pair` is made of before the new peer's repositories are known. */
export type ShownLine = Exclude<PairLine, { type: 'paired' }> | { readonly type: 'new-peer'; readonly peer: Peer };

export interface ShowOptions {
  readonly isInvite: boolean;
  readonly as: string | undefined;
  /** The account to make a contact of (`--contact --with`). */
  readonly contact: BareJid | undefined;
  readonly signal: AbortSignal;
}

export interface TypeOptions {
  readonly code?: string;
  readonly invite?: string;
  /** The account that shows the code; or, where its server has no PEP, the full JID of the device. */
  readonly with?: string;
  readonly as?: string;
  readonly isContact: boolean;
  readonly signal: AbortSignal;
}

/** Shows and types codes and invites for the door. */
export class Pairing {
  readonly #parts: PairingParts;
  readonly #numbering = new Serial();

  constructor(parts: PairingParts) {
    this.#parts = parts;
  }

  /** Shows a code until it is used or burnt, or the caller goes; an invite only until it is told. */
  async *show(options: ShowOptions): AsyncGenerator<ShownLine> {
    const connection = this.#parts.requireConnection();
    const { contact } = options;
    // Told before a code is spent on it.
    if (options.as !== undefined) parsePetname(options.as);
    if (options.isInvite) {
      yield await this.#showInvite(connection, options.as);
      return;
    }
    const { showing, random } = this.#parts;
    const [queue, over] = [new LineQueue<ShownLine>(options.signal), new AbortController()];
    const onEvent = (event: ShowerEvent): void =>
      void this.#onEvent(event, { as: options.as, tell: (line) => queue.push(line) }).catch((error: unknown) => queue.fail(asFault(error, 'pairing')));
    // Two who ask at once must not be given one number.
    const { code, isFound } = await this.#numbering.run(async () => {
      const made = makeCode(await showing.freeNumber(connection), random(CODE_RANDOM_BYTES));
      return { code: made, isFound: await showing.show(secretOfCode(made), this.#card(connection), onEvent) };
    });
    const by = { role: 'shower', signal: AbortSignal.any([options.signal, over.signal]), tell: (line: ShownLine) => queue.push(line) } as const;
    const made = contact === undefined ? undefined : this.#makeContact(connection, contact, by);
    try {
      yield { type: 'code', code: formatCode(code), jid: bareOf(connection.jid), ...(isFound ? {} : { address: connection.jid }) };
      for await (const line of queue.lines()) {
        yield line;
        if (line.type === 'new-peer' && (await made) === true) await this.#noteContact(line.peer);
        if (line.type === 'burnt' || line.type === 'new-peer') return;
      }
    } finally {
      // A contact that is not made by now would stand in the way of the next try.
      over.abort();
      await showing.hide(String(code.number));
    }
  }

  /** Types a code or pastes an invite. */
  async type(given: TypeOptions): Promise<Peer> {
    const connection = this.#parts.requireConnection();
    if (given.as !== undefined) parsePetname(given.as);
    const { secret, account, shower } = this.#readSecret(given, connection);
    const isMade = given.isContact && (await makeContact(connection, account, { role: 'typer', clock: this.#parts.clock, signal: given.signal }));
    const card = await typeSecret(connection, { secret, account, shower, card: this.#card(connection), random: this.#parts.random, signal: given.signal });
    const peer = await this.#add(card, { as: given.as, role: 'typer' });
    if (isMade) await this.#noteContact(peer);
    return peer;
  }

  /** Invites that were shown before a restart are answered for again. */
  async restoreInvites(connection: Connection): Promise<void> {
    for (const invite of await this.#parts.invites.list()) await this.#offerInvite(connection, invite);
  }

  /** @returns whether pairing made the contact; what goes wrong is told, and pairing goes on without it */
  #makeContact(connection: Connection, jid: BareJid, by: { readonly role: 'shower'; readonly signal: AbortSignal; readonly tell: (line: ShownLine) => void }): Promise<boolean> {
    const work = makeContact(connection, jid, { role: by.role, clock: this.#parts.clock, signal: by.signal });
    return work.catch((error: unknown) => {
      by.tell({ type: 'refused', by: jid, words: asFault(error, 'making a contact').message });
      return false;
    });
  }

  async #noteContact(peer: Peer): Promise<void> {
    await this.#parts.peers.update(peer.device, { isContactAddedByUs: true });
  }

  #readSecret(given: { readonly code?: string; readonly invite?: string; readonly with?: string }, connection: Connection): Pick<TypeSecretOptions, 'secret' | 'account' | 'shower'> {
    if (given.invite !== undefined) {
      const invite = parseInvite(given.invite);
      return { secret: secretOfInvite(invite), account: invite.jid };
    }
    const secret = secretOfCode(parseCode(given.code ?? ''));
    if (given.with?.includes('/') === true) {
      const shower = parseFullJid(given.with);
      return { secret, account: bareOf(shower), shower };
    }
    return { secret, account: given.with === undefined ? bareOf(connection.jid) : parseBareJid(given.with) };
  }

  async #showInvite(connection: Connection, as: string | undefined): Promise<ShownLine> {
    const { clock, invites, random } = this.#parts;
    const invite = makeInvite(bareOf(connection.jid), random(INVITE_SECRET_BYTES));
    const expiresAt = clock.now() + INVITE_LIFETIME_MS;
    await invites.add({ secret: invite.secret, expiresAt, as });
    await this.#offerInvite(connection, { secret: invite.secret, expiresAt, as });
    return { type: 'invite', invite: formatInvite(invite), expiresAt };
  }

  async #offerInvite(connection: Connection, { secret, expiresAt, as }: KeptInvite): Promise<void> {
    const { showing, invites, clock, events } = this.#parts;
    const jid = bareOf(connection.jid);
    const named = secretOfInvite({ jid, secret });
    if (showing.isShown(named.id)) return;
    await showing.show(named, this.#card(connection), (event) => {
      if (event.type === 'paired') invites.remove(secret).catch((error: unknown) => events.emit({ type: 'pair-failed', words: asFault(error, 'striking out the invite').message, code: asFault(error, '').code }));
      this.#onEvent(event, { as, tell: () => undefined }).catch((error: unknown) => {
        const { message, code } = asFault(error, 'pairing');
        events.emit({ type: 'pair-failed', words: `pairing by an invite failed: ${message}`, code });
      });
    });
    clock.setTimer(expiresAt - clock.now(), () => void showing.hide(named.id));
  }

  async #onEvent(event: ShowerEvent, options: { readonly as: string | undefined; readonly tell: (line: ShownLine) => void }): Promise<void> {
    const { events } = this.#parts;
    switch (event.type) {
      case 'attempt':
        events.emit({ type: 'pair-attempt', words: `${event.by} began to pair`, by: event.by });
        return options.tell(event);
      case 'burnt':
        events.emit({ type: 'pair-burnt', words: `${event.by} tried a wrong code; the code is spent`, by: event.by });
        return options.tell(event);
      case 'refused':
        return options.tell({ type: 'refused', by: event.by, words: event.why.message });
      case 'paired':
        return options.tell({ type: 'new-peer', peer: await this.#add(event.card, { as: options.as, role: 'shower' }) });
    }
  }

  /** The card's device as a peer; one that pairs again keeps its petname. */
  async #add(card: DeviceCard, { as, role }: { readonly as: string | undefined; readonly role: 'shower' | 'typer' }): Promise<Peer> {
    const { peers, clock, events, identity, onPaired, checkCard } = this.#parts;
    checkCard(card);
    if (card.device === identity().device) throw new Fault('wrong-use', 'that is this very device');
    const own = this.#parts.requireConnection().jid;
    const kind = own.startsWith(`${card.jid}/`) ? 'own' : 'other';
    const before = peers.byDevice(card.device);
    const taken = peers.list().filter(({ device }) => device !== card.device).map(({ petname }) => petname);
    // A name that is taken gets a number: by now the code is spent, and the other side has paired.
    const petname = as === undefined ? (before?.petname ?? choosePetname(card.name, card.jid, kind, taken)) : choosePetname(parsePetname(as), card.jid, 'own', taken);
    if (before !== undefined) await peers.remove(card.device);
    const { device, jid, spki, recipient, name, address, version } = card;
    const peer: Peer = { device, petname, kind, jid, address, spki, recipient, name, pairedAt: clock.now(), version };
    await peers.add(peer);
    events.emit({ type: 'paired', words: `paired with ${petname} (${name}, ${jid})`, peer: petname });
    await onPaired(peer, role);
    return peer;
  }

  #card(connection: Connection): DeviceCard {
    const { device, name, spki, certPem, ageRecipient } = this.#parts.identity();
    const jid = bareOf(connection.jid);
    return { device, name, spki, certPem, recipient: ageRecipient, jid, address: connection.jid, version: PROTOCOL_VERSION };
  }
}

/** Lines that come from callbacks, read one after another until `signal`. */
class LineQueue<Line> {
  readonly #signal: AbortSignal;
  readonly #lines: Line[] = [];
  #fault: Fault | undefined;
  #wake = (): void => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake());
  }

  push(line: Line): void {
    this.#lines.push(line);
    this.#wake();
  }

  /** No more lines come: reading them ends in `fault`. */
  fail(fault: Fault): void {
    this.#fault = fault;
    this.#wake();
  }

  async *lines(): AsyncGenerator<Line> {
    while (!this.#signal.aborted) {
      yield* this.#lines.splice(0);
      if (this.#fault !== undefined) throw this.#fault;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#lines.length > 0 || this.#fault !== undefined || this.#signal.aborted) resolve();
      });
    }
  }
}
