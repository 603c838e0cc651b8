// Takes in a pack that has arrived whole (docs/PROTOCOL.md, "Slices"). Rule: it passes what an ordinary push passes; what is refused is thrown away, and what
// only lacked room is kept.

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { arrivingRef, listPartials, partialSpace, settlePartials } from '../git/partials.ts';
import { boundPush } from '../git/push-limits.ts';
import type { GitProcess } from '../git/run.ts';
import { serveReceiveOffer } from '../git/services.ts';
import type { Peer } from '../home/peers.ts';
import type { PackHeaders } from '../link/http-format.ts';
import type { RepoContext } from './context.ts';
import type { Quota } from './quota.ts';
import { startService } from './serve-git.ts';

/** No push writes so many tips at once: the ref of a pack is its own. */
const PACK_REF = 999;

/**
 * Feeds a whole pack to `git receive-pack`, as a push of one ref would (gitprotocol-pack(5), "Reference Update Request"): so it passes the
 * same checks in the same quarantine, and the ref is made only when everything it leads to is here.
 */
export async function takePack(
  context: RepoContext,
  { path, pack, peer, now }: { readonly path: string; readonly pack: PackHeaders; readonly peer: Peer; readonly now: number },
  quota: Quota,
): Promise<void> {
  const sender = peer.device;
  await settlePartials(context, sender, now);
  const ref = arrivingRef(sender, PACK_REF);
  const free = await quota.turn(peer);
  const { git, told } = await feedPack(context, { path, pack, peer, ref }).finally(free);
  if ((await listPartials(context, sender)).get(ref) === pack.tip) {
    await settlePartials(context, sender, now);
    await rm(path, { force: true });
    return;
  }
  const why = `${git.stderrTail().trim()} ${/(?:unpack|ng) (?!ok)[^\n]{0,200}/.exec(told)?.[0] ?? ''}`.trim();
  const isFull = /No space left on device|Out of diskspace|Disk quota exceeded/.test(why);
  // What only lacked room is whole: the next try sends none of it again.
  if (!isFull) await rm(path, { force: true });
  throw new Fault(isFull ? 'disk-full' : 'git', isFull ? 'No space left on device' : `git refused it: ${why.slice(-300)}`);
}

/** @returns git once it has ended, and what it answered */
async function feedPack(
  context: RepoContext,
  { path, pack, peer, ref }: { readonly path: string; readonly pack: PackHeaders; readonly peer: Peer; readonly ref: RefName },
): Promise<{ readonly git: GitProcess; readonly told: string }> {
  const start = serveReceiveOffer(context.repository, { namespace: [partialSpace(peer.device)], maxInputBytes: pack.size, isKeptPacked: true });
  const git = startService(context, peer.kind === 'own' ? start : boundPush(start));
  let told = '';
  git.stdout.on('data', (part: Buffer) => (told = (told + part.toString('latin1')).slice(-1000)));
  git.stdin.write(formatUpdateRequest(pack.tip, ref));
  await pipeline(createReadStream(path), git.stdin).catch(() => undefined);
  await git.exit;
  return { git, told };
}

/** One command that makes `ref`, and a flush packet. */
function formatUpdateRequest(tip: Oid, ref: string): string {
  const format = tip.length === 64 ? ' object-format=sha256' : '';
  const line = `${'0'.repeat(tip.length)} ${tip} ${ref}\0 report-status${format}`;
  return `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`;
}
