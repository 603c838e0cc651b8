// What a peer sends inside a link, or something that takes a peer's place before the link is secure: pipe frames, SOCKS5, HTTP/2 paths and headers,
// JSON bodies, announcements, cards.

import * as fc from 'fast-check';
import { parseOffer } from '../../../src/carriers/bytestreams-format.ts';
import { Socks5Client, Socks5Server } from '../../../src/carriers/socks5-machine.ts';
import { parsePeerRepos } from '../../../src/agent/peer-repos.ts';
import { formatOfferHeaders, formatPackHeaders, formatSliceHeaders, formatToldMap, parseExit, parseLinkRequest, parseOfferHeaders, parsePackHeaders, parsePackState, parseSliceHeaders, parseStderr, parseToldMap } from '../../../src/link/http-format.ts';
import { parseRefusal } from '../../../src/link/services.ts';
import { parseOid, parseRefName, parseRepoId } from '../../../src/lib/names.ts';
import { FrameDecoder, readFirstFrame } from '../../../src/pipe/frame-decoder.ts';
import { encodeFrame, parseLinkId } from '../../../src/pipe/frame-format.ts';
import { PipeMachine } from '../../../src/pipe/pipe-machine.ts';
import { formatCard, parseCard } from '../../../src/pairing/card-format.ts';
import { formatDeviceList, parseDeviceList, signDeviceList, signNotice, verifyDeviceList, verifyNotice } from '../../../src/pairing/devices-format.ts';
import { formatAnnouncement, parseAnnouncement, signAnnouncement, verifyAnnouncement } from '../../../src/sync/announcement-format.ts';
import { parseDigest } from '../../../src/sync/digest-format.ts';
import { parseLeft } from '../../../src/sync/left-format.ts';
import { formatLacking, formatRecordedMap, parseLacking, parseRecordedMap } from '../../../src/sync/record-format.ts';
import { PacketReader } from '../../../src/git/pkt-format.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { SHOWER_CARD } from '../../helpers/pairing.ts';
import { cuts, inPieces, mutatedBytes, mutatedText } from '../mutate.ts';
import { target } from '../target.ts';
import type { Target } from '../target.ts';
import { FULL, inJson, inStream, json, OID, PEER, REPO, SIGNATURE } from './seeds.ts';

const KEY = makeDeviceKey();
const LINK = parseLinkId('00112233445566778899aabbccddeeff');
const FRAMES = [
  encodeFrame({ type: 'open', version: 1, linkId: LINK }),
  encodeFrame({ type: 'data', offset: 0, bytes: new Uint8Array(20) }),
  encodeFrame({ type: 'data', offset: 20, bytes: new Uint8Array(300) }),
];
const ALL_FRAMES = Buffer.concat(FRAMES);

/** A listener's pipe that reads a stranger's bytes. */
function feedPipe(bytes: Uint8Array, lengths: readonly number[]): void {
  const pipe = new PipeMachine({ role: 'listener', linkId: LINK });
  const attachment = pipe.attach({ kind: 'in-band', sid: 's1' }, 0);
  for (const piece of inPieces(bytes, lengths)) pipe.receive(attachment, piece, 1);
}

function feed(reader: { receive(bytes: Uint8Array): { readonly state: string } }, bytes: Uint8Array, lengths: readonly number[]): void {
  for (const piece of inPieces(bytes, lengths)) if (reader.receive(piece).state !== 'going') return;
}

/** Headers as `name: value` lines, spoiled together. */
function headers(name: string, seeds: readonly Readonly<Record<string, string>>[], read: (header: (name: string) => string | undefined) => unknown): Target {
  const lines = seeds.map((seed) => Object.entries(seed).map(([key, value]) => `${key}: ${value}`).join('\n'));
  return target(name, mutatedText(lines), (text) => {
    const map = new Map(text.split('\n').map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ').slice(1).join(': ')]));
    return read((key) => map.get(key));
  });
}

const hello = 'a'.repeat(40);
const request = Buffer.from(`\x05\x01\0\x05\x01\0\x03\x28${hello}\0\0`, 'latin1');
const tips = new Map([[parseRefName('refs/heads/main'), parseOid(OID)]]);
const announcement = { repo: parseRepoId(REPO), device: PEER.device, counter: 1700000000000, tips, rest: 'a'.repeat(32), hub: 'b'.repeat(32) };
const devices = { device: KEY.device, account: SHOWER_CARD.jid, counter: 17, revoked: [{ device: PEER.device, by: KEY.device, at: 17 }], introduced: [{ card: SHOWER_CARD, at: 17, to: [PEER.device] }] };

export const LINK_TARGETS: readonly Target[] = [
  inStream('pipe frames', [...FRAMES, ALL_FRAMES], () => {
    const decoder = new FrameDecoder();
    return (piece) => {
      decoder.push(piece);
      while (decoder.next() !== undefined);
    };
  }),
  target('pipe', fc.tuple(mutatedBytes([...FRAMES, ALL_FRAMES]), cuts), ([bytes, lengths]) => feedPipe(bytes, lengths)),
  target('first frame of a carrier', mutatedBytes([ALL_FRAMES]), readFirstFrame),
  target('SOCKS5, as server', fc.tuple(mutatedBytes([request]), cuts), ([bytes, lengths]) => feed(new Socks5Server((name) => name === hello), bytes, lengths)),
  target('SOCKS5, as client', fc.tuple(mutatedBytes([Buffer.from('\x05\0\x05\0\0\x01\0\0\0\0\0\0', 'latin1')]), cuts), ([bytes, lengths]) => {
    const client = new Socks5Client(hello);
    client.start();
    feed(client, bytes, lengths);
  }),
  target('link request', fc.tuple(fc.constantFrom('GET', 'POST', 'CONNECT', '__proto__'), mutatedText(['/digest', `/repos/${REPO}/git-upload-pack`, `/repos/${REPO}/packs/${'f'.repeat(64)}`, '/repos'])), ([method, path]) =>
    parseLinkRequest(method, path),
  ),
  headers('headers of an offer', [formatOfferHeaders({ device: PEER.device, counter: 17, signature: SIGNATURE, bases: [parseOid(OID)] })], parseOfferHeaders),
  headers('headers of a told map', [formatToldMap({ base: 16, same: [parseRefName('refs/heads/main')], counter: 17, signature: SIGNATURE }) ?? {}], parseToldMap),
  headers('headers of a slice', [formatSliceHeaders({ bases: [parseOid(OID)], progress: { done: 1, total: 2 } })], parseSliceHeaders),
  headers('headers of a pack', [formatPackHeaders({ offset: 17, size: 900, tip: parseOid(OID), progress: { done: 1, total: 2 } })], parsePackHeaders),
  target('trailers', mutatedText(['0', '128', 'ZXJyb3I=', 'fatal%3A']), (text) => [parseExit(text), parseStderr(text)]),
  inJson('digest', [{ version: 1, repos: [{ repo: REPO, name: 'notes', maps: { [PEER.device]: 17 } }] }], parseDigest),
  inJson('repos of a peer', [{ repos: [{ repo: REPO, name: 'notes', roots: [OID], head: 'refs/heads/main', bytes: 9 }] }, { repos: [{ repo: REPO, name: 'notes', roots: [OID] }] }], parsePeerRepos),
  inJson('offered streamhosts', [{ sid: 's1', streamhosts: [{ jid: FULL, host: '192.168.1.4', port: 5086 }] }], parseOffer),
  inJson('told map', [formatRecordedMap({ device: PEER.device, counter: 17, signature: SIGNATURE, base: 0, changes: new Map([[parseRefName('refs/heads/main'), parseOid(OID)]]), maybe: [parseOid(OID)] })], parseRecordedMap),
  inJson('lacking', [formatLacking({ tips: [parseOid(OID)] })], parseLacking),
  inJson('state of a pack', [{ received: 900 }], parsePackState),
  target('refusal of a peer', mutatedText([json({ code: 'not-granted', message: 'no', remedy: 'ask' })]), parseRefusal),
  target('announcement', mutatedBytes([formatAnnouncement(announcement)]), parseAnnouncement),
  target('signed announcement', mutatedBytes([signAnnouncement(announcement, KEY.keyPem)]), (bytes) => verifyAnnouncement(bytes, () => KEY.spki)),
  target('book of what was left', mutatedBytes([Buffer.from(`1700000000000 - ${OID} refs/heads/main\n`), Buffer.from(`1 + ${OID} refs/heads/a\n2 - ${OID} refs/heads/b\n`)]), parseLeft),
  target('device list', mutatedBytes([formatDeviceList(devices)]), parseDeviceList),
  target('signed device list', mutatedBytes([signDeviceList(devices, KEY.keyPem)]), (bytes) => verifyDeviceList(bytes, () => KEY.spki)),
  target('notice of an unpaired device', mutatedBytes([signNotice({ device: PEER.device, by: KEY.device, at: 17 }, KEY.keyPem)]), (bytes) => verifyNotice(bytes, () => KEY.spki)),
  target('device card', mutatedBytes([formatCard(SHOWER_CARD)]), parseCard),
  inStream('packets of a push', [Buffer.from('0009hello0000'), Buffer.from('0032want 3f2a91c0d4b5e6f708192a3b4c5d6e7f80910a1b\n0000')], () => {
    const reader = new PacketReader();
    return (piece) => reader.push(piece);
  }),
];
