// What people type or paste, what git and the shell hand on, and what stands in files: names, codes, invites, URLs, ssh commands, helper lines,
// configuration, state.

import { Readable, Writable } from 'node:stream';
import { parsePolicies } from '../../../src/agent/policies-format.ts';
import { parseHubsState, readHubSettings } from '../../../src/agent/hubs-format.ts';
import { parseMapsState } from '../../../src/agent/maps-format.ts';
import { parseBytes } from '../../../src/agent/quota.ts';
import { parseSynced } from '../../../src/agent/synced-format.ts';
import { parseJson, LineDecoder } from '../../../src/control/lines-format.ts';
import { FrameDecoder } from '../../../src/control/stream-format.ts';
import { parseFault, parseHeaders } from '../../../src/control/door-format.ts';
import { parseAutomatic } from '../../../src/git/automatic-format.ts';
import { batchAnswers } from '../../../src/git/batch-format.ts';
import { parseListing, parsePushed } from '../../../src/git/hub-format.ts';
import { parseMergeTree } from '../../../src/git/merge-tree-format.ts';
import { parseStatus } from '../../../src/git/status-format.ts';
import { parseHostAndPort } from '../../../src/home/account.ts';
import { parseList } from '../../../src/home/config.ts';
import { parseDeviceName } from '../../../src/home/device-name-format.ts';
import { parsePeers } from '../../../src/home/peers-format.ts';
import { parseRepos } from '../../../src/home/repos-format.ts';
import { parseDuration } from '../../../src/lib/duration-format.ts';
import { decodeBase64 } from '../../../src/lib/base64.ts';
import { parseBareJid, parseFullJid } from '../../../src/lib/jid.ts';
import { redact } from '../../../src/lib/log.ts';
import { parseDeviceId, parseGrant, parseOid, parsePetname, parseRefName, parseRepoId, parseRepoName } from '../../../src/lib/names.ts';
import { parseRate } from '../../../src/lib/rate-format.ts';
import { makeInvite, formatInvite, parseInvite } from '../../../src/pairing/invite-format.ts';
import { parseCode } from '../../../src/pairing/words.ts';
import { runHelper } from '../../../git-shell-shim/helper.ts';
import { parseRemoteUrl } from '../../../git-shell-shim/remote-url.ts';
import { parseServiceCommand, parseSshArguments, unquote } from '../../../git-shell-shim/ssh-command.ts';
import * as fc from 'fast-check';
import { cuts, inPieces, mutatedBytes, mutatedText } from '../mutate.ts';
import { target } from '../target.ts';
import type { Target } from '../target.ts';
import { FULL, inStream, json, OID, PEER, REPO, SHARED, SIGNATURE } from './seeds.ts';

const NAMES: readonly [string, string, (text: string) => unknown][] = [
  ['object id', OID, parseOid],
  ['ref name', 'refs/heads/feature/x', parseRefName],
  ['repo id', REPO, parseRepoId],
  ['device id', PEER.device, parseDeviceId],
  ['petname', 'anna-desktop', parsePetname],
  ['repo name', 'notes', parseRepoName],
  ['device name', 'Anna’s laptop', parseDeviceName],
  ['grant', 'write', parseGrant],
  ['bare JID', 'anna@example.org', parseBareJid],
  ['full JID', FULL, parseFullJid],
  ['code', '4-cross-clock', parseCode],
  ['invite', formatInvite(makeInvite(parseBareJid('anna@example.org'), Buffer.alloc(32, 5))), parseInvite],
  ['host and port', 'xmpp.example.org:5222', parseHostAndPort],
  ['duration', '2h', (text) => parseDuration('x', text, { min: 1, max: 1e9 })],
  ['rate', '200k', (text) => parseRate('x', text)],
  ['amount of bytes', '10M', parseBytes],
  ['base64', SIGNATURE, (text) => decodeBase64(text, 64)],
  ['URL of a remote', 'xmpp://desktop/notes', parseRemoteUrl],
  ['ssh command', "git-receive-pack 'notes'", parseServiceCommand],
  ['quoted word', "'it'\\''s'", unquote],
  ['words of the log', 'https://anna:secret@example.org/ git-xmpp:anna@x#SECRET AGE-SECRET-KEY-1XYZ', redact],
];

/** The lines of `git config --list -z`, as they come from a repository's configuration. */
const CONFIG = ['xmpp.merge\nmerge\0xmpp.branches\nmain feature/*\0', 'remote.origin.xmppsync\nboth\0remote.origin.url\nssh://x/y\0xmpp.autocommit\ntrue\0xmpp.hook.changed\nmake\0', 'xmpp.limit.up\n200k\0'];

async function feedHelper(bytes: Uint8Array, lengths: readonly number[]): Promise<void> {
  const stdout = new Writable({ write: (_bytes, _encoding, done) => done() });
  await runHelper({ stdin: Readable.from([...inPieces(bytes, lengths)], { objectMode: false }), stdout, connect: () => Promise.resolve(() => Promise.resolve(0)) });
}

function bytesTarget(name: string, seeds: readonly string[], read: (bytes: Buffer) => unknown): Target {
  return target(name, mutatedBytes(seeds.map((seed) => Buffer.from(seed, 'latin1'))), (bytes) => read(Buffer.from(bytes)));
}

const MERGE = [OID, `100644 ${OID} 1\ta.txt`, `100644 ${OID} 2\ta.txt`, '', '1', 'a.txt', 'CONFLICT (contents)', 'words', ''].join('\0');
const BLOB = `${OID} commit 3\nabc\n`;

export const PEOPLE_TARGETS: readonly Target[] = [
  ...NAMES.map(([name, seed, read]) => target(name, mutatedText([seed]), read)),
  target('ssh arguments', fc.array(mutatedText(['-o', 'SendEnv=GIT_PROTOCOL', '-p', '22', 'laptop', "git-upload-pack 'notes'", '-G', '--']), { maxLength: 8 }), parseSshArguments),
  target('helper lines', fc.tuple(mutatedBytes([Buffer.from('capabilities\nconnect git-upload-pack\n'), Buffer.from('capabilities\n\n')]), cuts), ([bytes, lengths]) => feedHelper(bytes, lengths)),
  target('configuration', mutatedText(CONFIG), (text) => {
    const config = parseList(text);
    return [parsePolicies(config, { isFolder: false }), readHubSettings(config), parseSynced(config.get('xmpp.branches') ?? [])];
  }),
  inStream('control lines', [Buffer.from('{"type":"online","at":1}\n{"type":"x"}\n'), Buffer.from('[1,2]\n')], () => {
    const decoder = new LineDecoder();
    return (piece) => decoder.receive(piece);
  }),
  inStream('control stream', [Buffer.from('\x01\0\0\0\x03abc\x02\0\0\0\x01x\x03\0\0\0\x01\0', 'latin1')], () => {
    const decoder = new FrameDecoder();
    return (piece) => decoder.receive(piece);
  }),
  target('control headers', fc.dictionary(mutatedText(['git-xmpp-home', 'git-xmpp-peer', 'accept']), mutatedText(['/home/anna', '%2Fhome', 'x'])), parseHeaders),
  target('fault of the agent', mutatedText([json({ code: 'peer-offline', message: 'no', remedy: 'wait' })]), (text) => parseFault(parseJson(Buffer.from(text)))),
  target('file of peers', mutatedText([json({ version: 1, peers: [PEER] })]), (text) => parsePeers(parseJson(Buffer.from(text)))),
  target('file of repositories', mutatedText([json({ version: 1, repos: [SHARED] })]), (text) => parseRepos(parseJson(Buffer.from(text)))),
  target('stored maps', mutatedText([json({ signed: { [PEER.device]: { counter: 1, signature: SIGNATURE } }, acted: { [PEER.device]: { 'refs/heads/main': OID } } })]), (text) => parseMapsState(parseJson(Buffer.from(text)))),
  target('stored state of hubs', mutatedText([json({ folder: 'laptop-3f2a91c0', hubs: { origin: { url: 'ssh://x/y', acted: { heads: { 'refs/heads/main': OID } } } } })]), (text) => parseHubsState(parseJson(Buffer.from(text)))),
  target('automatic merge', mutatedText([`tree ${OID}\nparent ${OID}\nparent ${'4'.repeat(40)}\nauthor git-xmpp <> 1700000000 +0000\ncommitter git-xmpp <> 1700000000 +0000\n\nmerge\n`]), parseAutomatic),
  target('a hub’s answer to a push', mutatedText([` \trefs/heads/main:refs/heads/main\t1..2\n!\ta:refs/heads/b\t[remote rejected] (hook declined)\n`]), (text) => parsePushed(text, text)),
  target('a hub’s refs', mutatedText([`${OID}\trefs/heads/main\n${OID}\trefs/tags/v1\n`]), parseListing),
  bytesTarget('git merge-tree', [MERGE], parseMergeTree),
  bytesTarget('git status', [`# branch.oid ${OID}`, `1 .M N... 100644 100644 100644 ${OID} ${OID} a b.txt`, `u UU N... 100644 100644 100644 100644 ${OID} ${OID} ${OID} a`, '? folder/'], (part) => parseStatus([part])),
  bytesTarget('git cat-file', [BLOB, `${OID} missing\n`], (bytes) => batchAnswers({ command: 'contents', oids: [parseOid(OID)] })(bytes)),
];

