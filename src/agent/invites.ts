// Invites that were shown and not used yet; they outlive a restart of the agent (docs/PROTOCOL.md: 24 hours, single use).
// Rule: the file is as secret as the device key; what is over is removed when it is read.

import type { Clock } from '../lib/clock.ts';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { equalBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { StateFile } from '../home/state.ts';
import { INVITE_SECRET_BYTES } from '../pairing/invite-format.ts';
import { parseRecord, parseText } from '../sync/digest-format.ts';

export interface KeptInvite {
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** The petname that whoever uses it gets. */
  readonly as: string | undefined;
}

const MAX_INVITES = 32;

/** The file of open invites. */
export class InviteStore {
  readonly #file: StateFile<unknown>;
  readonly #clock: Clock;
  readonly #serial = new Serial();
  /** Used, whatever the file says: a full disk may keep it from being written. */
  readonly #spent: Uint8Array[] = [];

  constructor(path: string, clock: Clock) {
    this.#file = new StateFile<unknown>(path, (value) => formatInvites(parseInvites(value)), () => formatInvites([]));
    this.#clock = clock;
  }

  async list(): Promise<readonly KeptInvite[]> {
    await this.#settle().catch(() => undefined);
    return this.#read();
  }

  add(invite: KeptInvite): Promise<void> {
    return this.#serial.run(async () => this.#file.write(formatInvites([...(await this.#read()), invite].slice(-MAX_INVITES))));
  }

  /** It counts no more. Where this rejects, for it cannot be written down, that is tried again whenever invites are listed, while the agent runs. */
  remove(secret: Uint8Array): Promise<void> {
    this.#spent.push(secret);
    return this.#settle();
  }

  #settle(): Promise<void> {
    return this.#serial.run(async () => {
      const count = this.#spent.length;
      if (count === 0) return;
      await this.#file.write(formatInvites(await this.#read()));
      this.#spent.splice(0, count);
    });
  }

  async #read(): Promise<readonly KeptInvite[]> {
    const isSpent = (secret: Uint8Array): boolean => this.#spent.some((each) => equalBytes(each, secret));
    return parseInvites(await this.#file.read()).filter(({ expiresAt, secret }) => expiresAt > this.#clock.now() && !isSpent(secret));
  }
}

function formatInvites(invites: readonly KeptInvite[]): unknown {
  return { invites: invites.map(({ secret, expiresAt, as }) => ({ secret: encodeBase64(secret), expiresAt, ...(as === undefined ? {} : { as }) })) };
}

function parseInvites(value: unknown): KeptInvite[] {
  const { invites } = parseRecord(value, 'kept invites');
  if (!Array.isArray(invites) || invites.length > MAX_INVITES) throw new InputFault('kept invites', 'are no list');
  return invites.map((each) => {
    const { secret, expiresAt, as } = parseRecord(each, 'kept invite');
    const bytes = decodeBase64(parseText(secret, 'kept invite'), INVITE_SECRET_BYTES);
    if (bytes.length !== INVITE_SECRET_BYTES || typeof expiresAt !== 'number') throw new InputFault('kept invite', 'is broken');
    return { secret: bytes, expiresAt, as: typeof as === 'string' ? as : undefined };
  });
}
