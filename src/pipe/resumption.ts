// Who may resume a pipe: HMAC-SHA-256 (RFC 2104) over every field of RESUME and RESUMED, under the TLS exporter of the link.
// Rule: each RESUME has a higher epoch than all before it, type and role are covered so that no frame can be turned back on its
// sender, and comparison takes constant time.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { utf8 } from '../lib/bytes.ts';
import { Fault } from '../lib/errors.ts';
import { codeOfType, encodeResumeFields } from './frame-format.ts';
import type { CarrierName, LinkId, PipeRole, ResumeFields, ResumeFrame } from './frame-format.ts';

const CONTEXT = utf8('git-xmpp-pipe/1');

/** One end's part in resuming one pipe. */
export class Resumption {
  readonly #role: PipeRole;
  readonly #linkId: LinkId;
  #key: Uint8Array | undefined;
  #epoch = 0;

  constructor(role: PipeRole, linkId: LinkId) {
    this.#role = role;
    this.#linkId = linkId;
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** Of the newest RESUME made or accepted; 0 on the first carrier. */
  get epoch(): number {
    return this.#epoch;
  }

  /** @param key 32 bytes, the same at both ends */
  setKey(key: Uint8Array): void {
    this.#key = Uint8Array.from(key);
  }

  /** The dialler's next RESUME. @throws Fault `internal` without a key */
  ask(carrier: CarrierName, received: number): ResumeFrame {
    this.#epoch += 1;
    return this.#sign({ type: 'resume', carrier, received });
  }

  /** The listener's RESUMED to a RESUME that is not refused. */
  answer({ epoch, carrier }: ResumeFrame, received: number): ResumeFrame {
    this.#epoch = epoch;
    return this.#sign({ type: 'resumed', carrier, received });
  }

  /** Why `frame`, first on `carrier`, does not count, in words; undefined when it does. */
  whyRefused(frame: ResumeFrame, carrier: CarrierName): string | undefined {
    if (this.#key === undefined) return 'the link was not up';
    if (frame.mac.length !== 32 || !timingSafeEqual(macOf(this.#key, frame), frame.mac)) return 'the MAC is wrong';
    const expected = this.#role === 'listener' ? ASKED : ANSWERED;
    if (frame.type !== expected.type || frame.role !== expected.role) return 'it was made by the wrong side';
    if (frame.linkId !== this.#linkId) return 'it is for another link';
    if (frame.carrier.kind !== carrier.kind || frame.carrier.sid !== carrier.sid) return 'it was made for another carrier';
    const isNext = this.#role === 'listener' ? frame.epoch > this.#epoch : frame.epoch === this.#epoch;
    return isNext ? undefined : `epoch ${frame.epoch} is spent`;
  }

  #sign(part: Pick<ResumeFields, 'type' | 'carrier' | 'received'>): ResumeFrame {
    if (this.#key === undefined) throw new Fault('internal', 'a pipe cannot be resumed before its link is up');
    const fields = { ...part, linkId: this.#linkId, epoch: this.#epoch, role: this.#role };
    return { ...fields, mac: macOf(this.#key, fields) };
  }
}

const ASKED = { type: 'resume', role: 'dialler' };
const ANSWERED = { type: 'resumed', role: 'listener' };

function macOf(key: Uint8Array, fields: ResumeFields): Uint8Array {
  const type = Uint8Array.of(codeOfType(fields.type));
  return new Uint8Array(createHmac('sha256', key).update(CONTEXT).update(type).update(encodeResumeFields(fields)).digest());
}
