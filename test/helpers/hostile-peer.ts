// A peer that was paired and means harm: it signs in as the device that it is, and says on its link whatever the spec has it say.
// Rule: pushes are bytes made by hand, so that no git of the attacker's refuses first; every request ends, with what the other side answered.

import { createHash } from 'node:crypto';
import { parseRefName } from '../../src/lib/names.ts';
import type { Oid, RepoId } from '../../src/lib/names.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { realClock } from '../../src/lib/clock.ts';
import { Fault } from '../../src/lib/errors.ts';
import type { DialledLink } from '../../src/link/dialled-link.ts';
import { formatOfferHeaders, formatPackHeaders, formatSliceHeaders } from '../../src/link/http-format.ts';
import { openService, requestJson } from '../../src/link/services.ts';
import type { ServiceStream } from '../../src/link/services.ts';
import { encodeBase64 } from '../../src/lib/base64.ts';
import { signMap } from '../../src/sync/map-format.ts';
import type { RefsOfMap } from '../../src/sync/map-format.ts';
import { commandsOf } from './hostile-pack.ts';
import type { RefCommand } from './hostile-pack.ts';
import type { PlayedDevice } from './played-device.ts';

/** What became of a request: the exit code and git's words, or the fault that refused it. */
export interface Outcome {
  readonly exit?: number;
  readonly fault?: string;
  /** What git said, on stdout and on stderr, or the fault's words. */
  readonly words: string;
}

const DEADLINE_MS = 60_000;

export class HostilePeer {
  readonly played: PlayedDevice;
  readonly #to: { readonly address: FullJid; readonly pin: string };
  readonly repo: RepoId;
  #link: DialledLink | undefined;
  #counter = Date.now();

  constructor(played: PlayedDevice, to: { readonly address: FullJid; readonly pin: string; readonly repo: RepoId }) {
    this.played = played;
    this.#to = to;
    this.repo = to.repo;
  }

  /** The same device, which speaks of another repository. */
  of(repo: RepoId): HostilePeer {
    return new HostilePeer(this.played, { ...this.#to, repo });
  }

  get device(): string {
    return this.played.own.device;
  }

  /** A link that runs; a new one where the last was ended. */
  async link(): Promise<DialledLink> {
    if (this.#link === undefined || this.#link.session.destroyed) this.#link = await this.played.dial(this.#to.address, this.#to.pin);
    return this.#link;
  }

  /** Ends its link. */
  drop(): void {
    this.#link?.session.destroy();
    this.#link = undefined;
  }

  raw(): ReturnType<PlayedDevice['dialRaw']> {
    return this.played.dialRaw(this.#to.address, this.#to.pin);
  }

  async ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const { session } = await this.link();
    return requestJson(session, { method, path, ...(body === undefined ? {} : { body }) }, { clock: realClock, deadlineMs: DEADLINE_MS });
  }

  async open(last: string, headers: Readonly<Record<string, string>>, repo: RepoId = this.repo): Promise<ServiceStream> {
    const { session } = await this.link();
    return openService(session, `/repos/${repo}/${last}`, headers);
  }

  /** Says that it offers a map of `refs`, signed; what is pushed may be something else. */
  offerHeaders(refs: RefsOfMap): Record<string, string> {
    const { device, keyPem } = this.played.own;
    this.#counter += 1;
    const statement = { repo: this.repo, device, counter: this.#counter, refs };
    return formatOfferHeaders({ device, counter: this.#counter, signature: encodeBase64(signMap(statement, keyPem)), bases: [] });
  }

  /** Offers: these commands, then this pack. @param refs what the map says, unless told: that `main` is what the first command brings */
  async offer(commands: readonly RefCommand[], pack: Uint8Array, refs: RefsOfMap = mainOf(commands)): Promise<Outcome> {
    return finish(await this.open('offer', this.offerHeaders(refs)), Buffer.concat([commandsOf(commands), pack]));
  }

  /** As `git push` does. */
  async push(commands: readonly RefCommand[], pack: Uint8Array): Promise<Outcome> {
    return finish(await this.open('git-receive-pack', {}), Buffer.concat([commandsOf(commands), pack]));
  }

  async slice(commands: readonly RefCommand[], pack: Uint8Array): Promise<Outcome> {
    return finish(await this.open('partial', formatSliceHeaders({ bases: [] })), Buffer.concat([commandsOf(commands), pack]));
  }

  async spool(pack: Uint8Array, tip: Oid): Promise<Outcome> {
    const sha256 = createHash('sha256').update(pack).digest('hex');
    return finish(await this.open(`packs/${sha256}`, formatPackHeaders({ offset: 0, size: pack.length, tip })), pack);
  }
}

function mainOf([first]: readonly RefCommand[]): RefsOfMap {
  return new Map(first?.to === undefined ? [] : [[parseRefName('refs/heads/main'), first.to]]);
}

/** Sends the body and waits for the end. */
export async function finish(service: ServiceStream, body: Uint8Array): Promise<Outcome> {
  const heard: Buffer[] = [];
  service.upload.on('error', () => undefined);
  try {
    // A refusal is read by whoever waits for it.
    await service.accepted;
    service.download.on('data', (part: Buffer) => heard.push(part));
    service.upload.end(body);
    const { exitCode, stderr } = await service.end;
    return { exit: exitCode, words: `${Buffer.concat(heard).toString('latin1')}${stderr}` };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code, words: error.message };
    throw error;
  }
}
