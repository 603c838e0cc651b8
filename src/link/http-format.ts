// What travels in HTTP/2 headers and trailers between two devices. Rule: paths and headers are parsed whole, or refused.

import { InputFault } from '../lib/errors.ts';
import { parseDeviceId, parseOid, parseRepoId } from '../lib/names.ts';
import type { DeviceId, Oid, RefName, RepoId } from '../lib/names.ts';
import { cleanLines } from '../lib/steering.ts';
import { parseCounter } from '../sync/digest-format.ts';
import { parseMapRef, parseSignature } from '../sync/record-format.ts';

/** Header and trailer names, one word each in code, wire and PROTOCOL.md. */
export const HEADER = {
  gitProtocol: 'git-protocol',
  gitExit: 'git-exit',
  gitStderr: 'git-stderr',
  mapDevice: 'map-device',
  mapCounter: 'map-counter',
  mapSignature: 'map-signature',
  mapBases: 'map-bases',
  packOffset: 'pack-offset',
  packSize: 'pack-size',
  packTip: 'pack-tip',
  sliceDone: 'slice-done',
  sliceTotal: 'slice-total',
  mapBase: 'map-base',
  mapSame: 'map-same',
} as const;

/** At most this much of git's stderr travels back; the end is what tells. */
export const MAX_STDERR_BYTES = 2048;
/** Larger JSON bodies are refused. */
export const MAX_JSON_BYTES = 4 << 20;
/** An offer names at most this many tips that the receiver has already. */
export const MAX_BASES = 16;
/** A longer list of refs in one header is not told. */
const MAX_SAME = 4096;

export type GitService = 'git-upload-pack' | 'git-receive-pack';

/** What a request asks for. */
export type LinkRequest =
  | { readonly kind: 'digest' | 'carriers' | 'devices' | 'repos' }
  | { readonly kind: 'map'; readonly repo: RepoId }
  | { readonly kind: 'offer'; readonly repo: RepoId }
  | { readonly kind: 'partial'; readonly repo: RepoId }
  | { readonly kind: 'pack' | 'pack-state'; readonly repo: RepoId; readonly sha256: string }
  | { readonly kind: 'service'; readonly repo: RepoId; readonly service: GitService };

/** Reads `:method` and `:path`. @throws InputFault on anything that is no route */
export function parseLinkRequest(method: string, path: string): LinkRequest {
  if (path.length > 256) throw new InputFault('path', 'is longer than 256 characters');
  const route = `${method} ${path}`;
  if (route === 'POST /digest') return { kind: 'digest' };
  if (route === 'POST /carriers') return { kind: 'carriers' };
  if (route === 'POST /devices') return { kind: 'devices' };
  if (route === 'GET /repos') return { kind: 'repos' };
  const [, verb, of, sha256] = /^(GET|POST) \/repos\/([^/]+)\/packs\/([0-9a-f]{64})$/.exec(route) ?? [];
  if (of !== undefined && sha256 !== undefined) return { kind: verb === 'GET' ? 'pack-state' : 'pack', repo: parseRepoId(of), sha256 };
  const [, repo, last] = /^POST \/repos\/([^/]+)\/([a-z-]+)$/.exec(route) ?? [];
  if (repo === undefined) throw new InputFault('request', 'is none that this version knows');
  const id = parseRepoId(repo);
  if (last === 'map') return { kind: 'map', repo: id };
  if (last === 'offer') return { kind: 'offer', repo: id };
  if (last === 'partial') return { kind: 'partial', repo: id };
  return { kind: 'service', repo: id, service: parseService(String(last)) };
}

/** @throws InputFault on any service but the two that links carry */
export function parseService(text: string): GitService {
  if (text === 'git-upload-pack' || text === 'git-receive-pack') return text;
  throw new InputFault('service', 'is neither git-upload-pack nor git-receive-pack');
}

/** `GIT_PROTOCOL`'s value, or undefined when absent. @throws InputFault on anything but `version=0`, `1` or `2` */
export function parseGitProtocol(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^version=[012]$/.test(text)) throw new InputFault('git protocol', 'is not version=0, 1 or 2');
  return text;
}

/** What an offer says of the map whose refs follow as a push. */
export interface OfferHeaders {
  readonly device: DeviceId;
  readonly counter: number;
  /** Ed25519, 64 bytes, base64. */
  readonly signature: string;
  /** Tips of the receiver that the sender has too, so that the pack may build on them. */
  readonly bases: readonly Oid[];
  /** Counter of that device's map at the receiver, when the push builds on just that; undefined where it asks what is there first. */
  readonly base?: number | undefined;
}

export function formatOfferHeaders(offer: OfferHeaders): Record<string, string> {
  return {
    [HEADER.mapDevice]: offer.device,
    [HEADER.mapCounter]: String(offer.counter),
    [HEADER.mapSignature]: offer.signature,
    ...(offer.bases.length === 0 ? {} : { [HEADER.mapBases]: offer.bases.join(',') }),
    ...(offer.base === undefined ? {} : { [HEADER.mapBase]: String(offer.base) }),
  };
}

/** @throws InputFault */
export function parseOfferHeaders(header: (name: string) => string | undefined): OfferHeaders {
  const bases = header(HEADER.mapBases)?.split(',') ?? [];
  if (bases.length > MAX_BASES) throw new InputFault('offer', `names more than ${MAX_BASES} bases`);
  return {
    device: parseDeviceId(header(HEADER.mapDevice) ?? ''),
    counter: parseCounter(parseDigits(header(HEADER.mapCounter))),
    signature: parseSignature(header(HEADER.mapSignature)),
    bases: bases.map(parseOid),
    base: header(HEADER.mapBase) === undefined ? undefined : parseCounter(parseDigits(header(HEADER.mapBase))),
  };
}

/** How far a first transfer has come, in bytes; a claim of the sender's, for people to read. */
export interface SliceProgress {
  readonly done: number;
  readonly total: number;
}

/** What is said of a slice that follows as a push. */
export interface SliceHeaders {
  /** As in an offer. */
  readonly bases: readonly Oid[];
  /** Before this slice. */
  readonly progress?: SliceProgress;
}

export function formatSliceHeaders({ bases, progress }: SliceHeaders): Record<string, string> {
  return {
    ...(bases.length === 0 ? {} : { [HEADER.mapBases]: bases.join(',') }),
    ...(progress === undefined ? {} : { [HEADER.sliceDone]: String(progress.done), [HEADER.sliceTotal]: String(progress.total) }),
  };
}

/** @throws InputFault */
export function parseSliceHeaders(header: (name: string) => string | undefined): SliceHeaders {
  const bases = header(HEADER.mapBases)?.split(',') ?? [];
  if (bases.length > MAX_BASES) throw new InputFault('slice', `names more than ${MAX_BASES} bases`);
  const [done, total] = [header(HEADER.sliceDone), header(HEADER.sliceTotal)];
  if (done === undefined && total === undefined) return { bases: bases.map(parseOid) };
  return { bases: bases.map(parseOid), progress: { done: parseSize(done, HEADER.sliceDone), total: parseSize(total, HEADER.sliceTotal) } };
}

/** What is said of a spooled pack whose bytes follow. */
export interface PackHeaders {
  /** Of the first byte that follows. */
  readonly offset: number;
  /** Of the whole pack. */
  readonly size: number;
  /** The commit, or other object, that it brings. */
  readonly tip: Oid;
  readonly progress?: SliceProgress;
}

export function formatPackHeaders({ offset, size, tip, progress }: PackHeaders): Record<string, string> {
  const pack = { [HEADER.packOffset]: String(offset), [HEADER.packSize]: String(size), [HEADER.packTip]: tip };
  return { ...pack, ...formatSliceHeaders({ bases: [], ...(progress === undefined ? {} : { progress }) }) };
}

/** @throws InputFault */
export function parsePackHeaders(header: (name: string) => string | undefined): PackHeaders {
  const offset = parseSize(header(HEADER.packOffset), HEADER.packOffset);
  const size = parseSize(header(HEADER.packSize), HEADER.packSize);
  if (size === 0 || offset > size) throw new InputFault(HEADER.packOffset, `${offset} lies beyond the ${size} bytes of the pack`);
  const { progress } = parseSliceHeaders(header);
  return { offset, size, tip: parseOid(header(HEADER.packTip) ?? ''), ...(progress === undefined ? {} : { progress }) };
}

function parseSize(text: string | undefined, what: string): number {
  const size = parseDigits(text);
  if (!Number.isSafeInteger(size)) throw new InputFault(what, 'is no number of bytes');
  return size;
}

/** The answer to how much of a spooled pack has come in. */
export function formatPackState(received: number): unknown {
  return { received };
}

/** @throws InputFault */
export function parsePackState(value: unknown): number {
  const received = typeof value === 'object' && value !== null && 'received' in value ? value.received : undefined;
  if (typeof received === 'number' && Number.isSafeInteger(received) && received >= 0) return received;
  throw new InputFault('state of a pack', 'tells no number of bytes');
}

/** The answerer's own map, told in the answer to an offer: its `base`, and on top of that some refs as they are in the map that was offered. */
export interface ToldMap {
  readonly counter: number;
  /** Ed25519, 64 bytes, base64. */
  readonly signature: string;
  /** Counter of the answerer's map that the asker holds. */
  readonly base: number;
  /** Refs that are now what the offered map says of them: there, or gone. */
  readonly same: readonly RefName[];
}

/** @returns undefined when it is too long for headers: then it is told in a request of its own */
export function formatToldMap(told: ToldMap): Record<string, string> | undefined {
  // No ref name holds a space (git-check-ref-format(1)); headers hold ASCII alone.
  const same = told.same.map((ref) => ref.split('/').map(encodeURIComponent).join('/')).join(' ');
  if (same.length > MAX_SAME) return undefined;
  return { [HEADER.mapCounter]: String(told.counter), [HEADER.mapSignature]: told.signature, [HEADER.mapBase]: String(told.base), [HEADER.mapSame]: same };
}

/** @returns undefined when none was told. @throws InputFault */
export function parseToldMap(header: (name: string) => string | undefined): ToldMap | undefined {
  if (header(HEADER.mapCounter) === undefined) return undefined;
  const same = header(HEADER.mapSame) ?? '';
  if (same.length > MAX_SAME) throw new InputFault('map', `names refs in more than ${MAX_SAME} characters`);
  return {
    counter: parseCounter(parseDigits(header(HEADER.mapCounter))),
    signature: parseSignature(header(HEADER.mapSignature)),
    base: parseCounter(parseDigits(header(HEADER.mapBase))),
    same: same.split(' ').map((text) => parseMapRef(decodePercent(text))),
  };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputFault('map', 'holds a name that is no percent-encoded UTF-8');
  }
}

/** A number in decimal digits and nothing else; NaN otherwise. */
function parseDigits(text: string | undefined): number {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
}

/** The end of git's stderr as a trailer value: base64, since headers hold no line breaks. */
export function formatStderr(text: string): string {
  return Buffer.from(text).subarray(-MAX_STDERR_BYTES).toString('base64');
}

/** Of what steers a terminal, or turns the order of letters round (UAX #9), only tabs and ends of lines are left. */
export function parseStderr(value = ''): string {
  return cleanLines(Buffer.from(value.length > MAX_STDERR_BYTES * 2 ? '' : value, 'base64').toString('utf8'));
}

/** What an offer ends with that another one of the same device crossed, or that found its corner locked: it may be made again at once (sysexits(3), EX_TEMPFAIL). */
export const EXIT_CROSSED = 75;

/** The exit code in a trailer; undefined when the stream ended without one: the link was lost. */
export function parseExit(value: string | undefined): number | undefined {
  const code = parseDigits(value);
  return code <= 255 ? code : undefined;
}
