// The git processes that serve a peer: a fetch, a person's push, or an offer (docs/PROTOCOL.md, "The two lanes"). Rule: an offer is taken in
// only when the refs it wrote fit the map's signature; whatever happens, nothing of it stays half done.

import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseRefName } from '../lib/names.ts';
import { headOf, listRefs } from '../git/refs.ts';
import { serveReceiveOffer, serveReceivePeople, serveUpload } from '../git/services.ts';
import type { ReceivePeopleOptions, ServiceStart } from '../git/services.ts';
import type { GitProcess } from '../git/run.ts';
import type { ServedProcess } from '../link/carry.ts';
import { EXIT_CROSSED } from '../link/http-format.ts';
import type { GitService, OfferHeaders } from '../link/http-format.ts';
import type { Peer } from '../home/peers.ts';
import type { Admission } from './admission.ts';
import { havesOf } from './bases.ts';
import type { RepoContext } from './context.ts';
import type { Quota } from './quota.ts';
import { settleOffer } from './settle-offer.ts';
import type { OfferBy, Settled } from './settle-offer.ts';
import { globsFor, isLimited, isShownTo, shownTo } from './shown-branches.ts';
import type { TransferKind } from './transfers.ts';

/** What the hook of a person's push needs to find the agent's safe path. */
export interface ServeSettings {
  readonly hooksPath: string;
  /** An empty alternate; see `serveReceiveOffer`. */
  readonly havesDir: string;
  /** Added to the environment of `git receive-pack`, and so of its hook. */
  readonly hookEnv: Readonly<Record<string, string>>;
  readonly quota: Quota;
}

/** As much of git's last words as may hold the reason. */
const KEPT_BYTES = 2048;

/** Starts the service of a plain `git fetch` or `git push`. */
export async function openServiceProcess(
  context: RepoContext,
  asked: { readonly peer: Peer; readonly service: GitService; readonly gitProtocol: string | undefined },
  settings: ServeSettings,
): Promise<ServedProcess> {
  const { peer } = asked;
  if (asked.service === 'git-upload-pack') return told(context, startService(context, await upload(context, asked)), { peer, kind: 'fetch' });
  const { hooksPath, hookEnv, quota } = settings;
  const hidden = await writable(context, peer);
  const admission = await quota.begin(peer);
  const start = serveReceivePeople(context.repository, { hooksPath, maxInputBytes: admission.maxBytes, ...hidden });
  const process = await startAdmitted(context, admission, { ...start, env: { ...start.env, ...hookEnv } });
  return told(context, admitted(process, admission), { peer, kind: 'push' });
}

/** Starts what serves a peer, within its limits. */
export function startService(context: RepoContext, { args, config, env, cpuSeconds }: ServiceStart): GitProcess {
  return context.startGit(args, { dir: context.repository.path, config, env, ...(cpuSeconds === undefined ? {} : { cpuSeconds }) });
}

/** Starts what takes in a push, bound as its sender is. Where it cannot be started the turn goes to the next one. */
export async function startAdmitted(context: RepoContext, admission: Admission, start: ServiceStart): Promise<GitProcess> {
  try {
    return startService(context, admission.bound(start));
  } catch (error) {
    await admission.end().catch(() => undefined);
    throw error;
  }
}

/** The same process, told as a transfer while it runs: a fetch by what goes out, all else by what comes in. */
function told(context: RepoContext, process: ServedProcess, { peer, kind }: { readonly peer: Peer; readonly kind: TransferKind }): ServedProcess {
  const { id: repo, name: repoName } = context.shared();
  const { device, petname } = peer;
  const transfer = context.transfers.begin({ repo, repoName, device, petname, kind, direction: kind === 'fetch' ? 'up' : 'down' });
  void process.exit.then((code) => transfer.end(code === 0));
  return { ...process, onCounts: ({ received, sent }) => transfer.part(kind === 'fetch' ? sent : received) };
}

/** The same process, fed what is let in and no more. */
function admitted(process: GitProcess, admission: Admission): ServedProcess {
  const settle = async (exitCode: number): Promise<number> => {
    // What git took is taken, whether its bytes could be written down or not.
    await admission.end().catch(() => undefined);
    return admission.why !== undefined && exitCode === 0 ? 1 : exitCode;
  };
  const stderrTail = (): string => `${process.stderrTail()}${admission.why ?? ''}`;
  return { ...passOn(process), admit: (part) => admission.admit(part), stderrTail, settle };
}

/** A `receive-pack` as it is served. */
function passOn(process: GitProcess): ServedProcess {
  const { stdin, stdout, exit } = process;
  return { stdin, stdout, exit, kill: () => process.hangUp(), stderrTail: () => process.stderrTail() };
}

/** Where the sharing or the grant names branches, only those are shown; a grant's are shown alone, without tags. */
async function upload(context: RepoContext, { peer, gitProtocol: protocol }: { readonly peer: Peer; readonly gitProtocol: string | undefined }): Promise<ServiceStart> {
  const shared = context.shared();
  const branches = await shownTo(shared, peer, () => listRefs(context.runGit, context.repository, ['refs/heads/']));
  if (branches === undefined) return serveUpload(context.repository, { protocol });
  const head = await headOf(context.runGit, context.repository);
  return serveUpload(context.repository, { protocol, branches, hasTags: !isLimited(shared, peer), ...('branch' in head ? { headBranch: head.branch } : {}) });
}

/** What a person's push may touch, where the sharing or the grant names branches. */
async function writable(context: RepoContext, peer: Peer): Promise<Pick<ReceivePeopleOptions, 'hidden' | 'globs'>> {
  const globs = globsFor(context.shared(), peer);
  if (globs.length === 0) return {};
  const heads = await listRefs(context.runGit, context.repository, ['refs/heads/']);
  const hidden = [...heads.keys()].filter((ref) => !isShownTo(context.shared(), peer, ref));
  return { globs, hidden: [...hidden, ...(isLimited(context.shared(), peer) ? ['refs/tags'] : [])].map(parseRefName) };
}

/** Starts the `receive-pack` of an offer; its exit code is 0 only when the map was taken in. */
export async function openOffer(context: RepoContext, offer: OfferHeaders, by: OfferBy): Promise<ServedProcess> {
  const held = context.maps.signed(offer.device)?.counter ?? 0;
  const haves = await havesOf(context, offer.bases, by.peer);
  const corner = `refs/xmpp/${offer.device}`;
  const admission = await by.settings.quota.begin(by.peer, corner);
  const call = serveReceiveOffer(context.repository, {
    namespace: [corner],
    haves,
    havesDir: by.settings.havesDir,
    maxInputBytes: admission.maxBytes,
    isWarm: offer.base !== undefined,
  });
  const process = await startAdmitted(context, admission, call);
  // All of a warm offer is here by now, and git is busy with it.
  if (offer.base !== undefined) by.onArrived();
  const heard = listenIn(process.stdout);
  const whyNot = (): string | undefined => admission.why ?? heard.fatalWords();
  const isCrossed = (): boolean => by.crossing.hasMet || (context.maps.signed(offer.device)?.counter ?? 0) > held;
  let settled: Settled = { words: '', fields: {} };
  const served: ServedProcess = {
    ...passOn(process),
    admit: (part) => admission.admit(part),
    stdout: heard.stdout,
    isSilent: offer.base !== undefined,
    fields: () => settled.fields,
    stderrTail: () => process.stderrTail() + settled.words,
    async settle(exitCode) {
      if (offer.base === undefined) by.onArrived();
      settled = await settleOffer(context, offer, { by, admission, whyNot, isCrossed }).finally(() => by.crossing.end());
      if (settled.words === '') return 0;
      if (settled.isCrossed === true) return EXIT_CROSSED;
      return exitCode === 0 ? 1 : exitCode;
    },
  };
  return told(context, served, { peer: by.peer, kind: 'offer' });
}

/** What passes, and why git gave up: of a full disk, say, it tells the pusher alone (gitprotocol-pack(5), "side-band"). */
function listenIn(stdout: Readable): { readonly stdout: Readable; fatalWords(): string | undefined } {
  let kept = Buffer.alloc(0);
  const passing = new Transform({
    transform(part: Buffer, _encoding, done) {
      kept = Buffer.concat([kept, part]).subarray(-KEPT_BYTES);
      done(null, part);
    },
  });
  pipeline(stdout, passing).catch(() => undefined);
  return { stdout: passing, fatalWords: () => /fatal: ([^\p{Cc}]{1,200})/u.exec(kept.toString('utf8'))?.[0] };
}
