// Nothing sensitive anywhere, over a whole life: login, pairing by code and by invite, sharing, cloning, pushing, a hub with a password, failures, a support file,
// unpairing. Rule: each place is first shown to hold what it may hold, by the same search; what may be where is in docs/THREATS.md, "Where names and secrets lie".

import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { Device } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { familyOf } from '../helpers/memory.ts';
import { foundIn } from '../helpers/needles.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { until } from '../helpers/waiting.ts';

const PASSWORDS = { romeo: 'correct-horse-battery', juliet: 'balcony-at-midnight' };
const HUB_PASSWORD = 'hub-password-of-romeo';

/** Never anywhere but in a file of the home, or in git's credential helper. */
const keys: Record<string, string | Uint8Array> = { 'password of romeo': PASSWORDS.romeo, 'password of juliet': PASSWORDS.juliet, 'wrong password': 'the-wrong-password', 'password of the hub': HUB_PASSWORD };
/** What the repository is about: never on the server. */
const NAMES = { repository: 'boardroom', branch: 'merger-plan', tag: 'before-the-merger', folder: 'acquisition-of-acme', file: 'quarterly-figures.txt' };
/** What is in it: never in a log, an argument or the environment either. */
const CONTENTS = { message: 'sell everything on monday', text: 'nobody must know this line', author: 'laptop@example.org' };

let tmp: string;
let server: Prosody;
let laptop: Device;
let desktop: Device;
let juliet: Device;
let repo: string;
let bundle: string;
const said: string[] = [];
const events: string[] = [];
const argv = new Set<string>();
const environ = new Set<string>();
const modes = new Set<string>();
let watching: ReturnType<typeof setInterval>;
const hub = createServer((request, response) => {
  const isHers = request.headers.authorization === `Basic ${Buffer.from(`romeo:${HUB_PASSWORD}`).toString('base64')}`;
  response.writeHead(isHers ? 404 : 401, { 'www-authenticate': 'Basic realm="hub"' }).end();
});

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** The agents and all that they started, as they are now. */
function sample(): void {
  for (const device of [laptop, desktop, juliet]) {
    const holder = read(findHome(device.env).lock);
    const pid = holder === '' ? undefined : (JSON.parse(holder) as { readonly pid: number }).pid;
    for (const each of pid === undefined ? [] : [pid, ...familyOf(pid)]) {
      argv.add(read(`/proc/${each}/cmdline`).replaceAll('\0', ' '));
      environ.add(read(`/proc/${each}/environ`).replaceAll('\0', '\n'));
    }
  }
}

/** Everything that lies in a folder, with its mode where it is a home. */
function filesIn(dir: string, isHome = false): Buffer {
  const entries = existsSync(dir) ? readdirSync(dir, { withFileTypes: true, recursive: true }) : [];
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of isHome ? [dir, ...files] : []) modes.add((statSync(file).mode & 0o777).toString(8));
  return Buffer.concat(entries.filter((entry) => entry.isFile()).map((entry) => readFileSync(path.join(entry.parentPath, entry.name))));
}

async function note(ended: Promise<Ended>): Promise<Ended> {
  const end = await ended;
  said.push(end.stdout, end.stderr);
  return end;
}

async function pairByCode(): Promise<void> {
  const shown = laptop.start('git-xmpp', ['pair']);
  const code = /^git xmpp pair (\S+)/.exec(await shown.line(/^git xmpp pair \d/))?.[1] ?? '';
  keys[`words of the code ${Object.keys(keys).length}`] = code.replace(/^\d+-/, '');
  expect((await note(desktop.run('git-xmpp', ['pair', code]))).code).toBe(0);
  await shown.ended;
}

async function meet(): Promise<void> {
  await pairByCode();
  const invite = (await laptop.xmpp('pair', '--invite')).stdout.trim();
  const secret = invite.split('#')[1] ?? '';
  Object.assign(keys, { invite: secret, 'secret of the invite': Buffer.from(secret, 'base64url') });
  await note(juliet.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` }));
  for (const device of [laptop, desktop, juliet]) {
    const { keyPem, ageIdentity } = await loadIdentity(findHome(device.env), { name: device.name });
    const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
    Object.assign(keys, { [`key of ${device.name}`]: der.subarray(-32), [`age key of ${device.name}`]: ageIdentity });
  }
}

async function work(): Promise<void> {
  repo = await laptop.repo(NAMES.repository, { [`${NAMES.folder}/${NAMES.file}`]: `${CONTENTS.text}\n` });
  await laptop.git(repo, 'tag', NAMES.tag);
  await laptop.git(repo, 'branch', NAMES.branch);
  await note(laptop.xmppIn(repo, 'share', '--with', 'own,juliet@localhost'));
  await note(laptop.xmppIn(repo, 'share'));
  await note(desktop.run('git-xmpp', ['clone', `laptop/${NAMES.repository}`]));
  const copy = desktop.path(NAMES.repository);
  await desktop.head(copy, await laptop.commit(repo, { [NAMES.file]: CONTENTS.text }, CONTENTS.message));
  await laptop.head(repo, await desktop.commit(copy, { [`${NAMES.folder}/more`]: CONTENTS.text }, CONTENTS.message));
  await note(desktop.run('git', ['push', 'origin', `HEAD:refs/heads/${NAMES.branch}-2`], { cwd: copy }));
  await note(desktop.run('git', ['fetch', 'origin'], { cwd: copy }));
  await desktop.stop();
  const tip = await laptop.commit(repo, { [NAMES.file]: 'announced' }, CONTENTS.message);
  await desktop.xmpp('daemon', 'start');
  await desktop.head(copy, tip);
}

async function visitHub(): Promise<void> {
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const { port } = hub.address() as AddressInfo;
  await laptop.git(repo, 'remote', 'add', 'hub', `http://romeo:${HUB_PASSWORD}@127.0.0.1:${port}/x.git`);
  await laptop.git(repo, 'config', 'remote.hub.xmppSync', 'both');
  await note(laptop.xmppIn(repo, 'sync'));
  await laptop.statusWhen(({ repos }) => JSON.stringify(repos).includes('127.0.0.1') || JSON.stringify(repos).includes('"hub"'));
}

async function fail(): Promise<void> {
  await note(laptop.run('git', ['ls-remote', 'xmpp::desktop/nothing-of-this-name']));
  await note(laptop.run('git-xmpp', ['pair', '1-wrong-words']));
  const other = await new Device('other').prepare();
  const args = ['login', 'romeo@localhost', '--server', `${server.host}:${server.port}`, '--ca', server.caFile, '--password-stdin'];
  expect((await note(other.run('git-xmpp', args, { input: 'the-wrong-password\n' }))).code).not.toBe(0);
  said.push(other.log());
  await other.remove();
}

beforeAll(async () => {
  tmp = mkdtempSync(path.join(os.tmpdir(), 'life-'));
  server = await startProsody({ accounts: PASSWORDS, hasProxy: false, hasStanzaLog: true });
  [laptop, desktop, juliet] = [new Device('laptop', { TMPDIR: tmp }), new Device('desktop', { TMPDIR: tmp }), new Device('juliet', { TMPDIR: tmp })];
  watching = setInterval(sample, 5);
  for (const device of [laptop, desktop, juliet]) {
    await device.prepare();
    await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
  }
  said.push((await laptop.login(server, 'romeo', PASSWORDS.romeo)).stderr, (await desktop.login(server, 'romeo', PASSWORDS.romeo)).stderr, (await juliet.login(server, 'juliet', PASSWORDS.juliet)).stderr);
  // All of it with the agent that tells the most.
  await laptop.stop();
  const loud = laptop.start('git-xmpp', ['daemon', 'run', '--debug']);
  await until(() => existsSync(findHome(laptop.env).socket));
  await laptop.event(({ type }) => type === 'online');
  await meet();
  await work();
  await visitHub();
  await fail();
  bundle = path.join(laptop.dir, 'help-me.json');
  await note(laptop.run('git-xmpp', ['doctor', '--bundle', bundle]));
  for await (const event of laptop.client.lines('GET', '/events')) events.push(JSON.stringify(event));
  await note(laptop.run('git-xmpp', ['unpair', 'desktop']));
  await desktop.event(({ type }) => type === 'unpaired-here');
  await laptop.run('git-xmpp', ['daemon', 'stop']);
  said.push((await loud.ended).stderr);
  clearInterval(watching);
}, 280_000);

afterAll(async () => {
  clearInterval(watching);
  hub.close();
  for (const device of [laptop, desktop, juliet]) await device?.remove();
  await server?.stop();
  rmSync(tmp, { recursive: true, force: true });
});

const without = (found: readonly string[], allowed: readonly string[]): string[] => found.filter((name) => !allowed.includes(name));
const logs = (): string => [laptop, desktop, juliet].flatMap(({ env }) => [read(findHome(env).log), read(`${findHome(env).log}.1`)]).join('\n');

describe('a whole life', () => {
  it('has secrets to be found: in the files of the homes, and nowhere else', () => {
    expect(Object.keys(keys).length).toBeGreaterThanOrEqual(13);
    const homes = Buffer.concat([laptop, desktop, juliet].map(({ home }) => filesIn(home, true)));
    expect(foundIn(homes, keys)).toEqual(expect.arrayContaining(['password of romeo', 'password of juliet', 'key of laptop', 'age key of laptop', 'key of desktop', 'key of juliet']));
    expect([...modes].toSorted()).toEqual(['600', '700']);
  });

  it('leaves on the server no secret, no name and no content: not in what clients said, not in its store, not in its own words', () => {
    const log = server.stanzaLog();
    expect(foundIn(log, { account: 'romeo@localhost', pairing: 'urn:git-xmpp:pair:1' })).toHaveLength(2);
    const store = path.join(server.dir, 'data');
    expect(foundIn(filesIn(store), { devices: 'urn:git-xmpp' })).toHaveLength(1);
    // The test server keeps its accounts in the clear, as no real one should.
    const accounts = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('accounts'));
    expect(accounts.length).toBeGreaterThan(0);
    for (const name of accounts) rmSync(path.join(store, name), { recursive: true });
    for (const place of [log, decoded(log), filesIn(store), server.output()]) {
      expect(foundIn(place, { ...keys, ...NAMES, ...CONTENTS, path: laptop.dir })).toEqual([]);
    }
  });

  it('tells in logs, events, errors and words of commands no secret and nothing of what is in a repository', () => {
    expect(foundIn(logs(), NAMES)).toEqual(['repository']);
    for (const place of [logs(), said.join('\n'), events.join('\n')]) {
      expect(place.length).toBeGreaterThan(500);
      expect(foundIn(place, { ...keys, message: CONTENTS.message, text: CONTENTS.text, author: CONTENTS.author })).toEqual([]);
    }
  });

  it('writes a support file without secrets, names, paths or addresses', () => {
    expect(statSync(bundle).mode & 0o777).toBe(0o600);
    expect(foundIn(readFileSync(bundle), { version: '"version' })).toHaveLength(1);
    expect(foundIn(readFileSync(bundle), { ...keys, ...NAMES, ...CONTENTS, path: laptop.dir, account: 'romeo@localhost' })).toEqual([]);
  });

  it('shows in arguments names and paths while git runs, and of secrets only what a person wrote into the URL of a hub', () => {
    const lines = [...argv].join('\n');
    expect(lines).toContain('receive-pack');
    expect(foundIn(lines, NAMES)).toContain('repository');
    const [git, others] = [[...argv].filter((line) => line.includes('remote-http')), [...argv].filter((line) => !line.includes('remote-http'))];
    expect(foundIn(others.join('\n'), { ...keys, ...CONTENTS })).toEqual([]);
    expect(without(foundIn(git.join('\n'), { ...keys, ...CONTENTS }), ['password of the hub'])).toEqual([]);
  });

  it('has in no environment a secret or a content', () => {
    const all = [...environ].join('\n');
    expect(all).toContain('GIT_XMPP_HOME=');
    expect(foundIn(all, { ...keys, ...CONTENTS })).toEqual([]);
  });

  it('leaves no file for temporary ones, and in the repository no secret but that of the hub', () => {
    expect(readdirSync(tmp)).toEqual([]);
    const git = Buffer.concat([readFileSync(path.join(repo, '.git/config')), filesIn(path.join(repo, '.git/logs')), filesIn(path.join(repo, '.git/xmpp'))]);
    expect(without(foundIn(git, keys), ['password of the hub'])).toEqual([]);
  });
});

/** All base64 of a log, decoded: what is compressed or sealed in it is noise, the rest would be read. */
function decoded(log: string): Buffer {
  return Buffer.concat([...log.matchAll(/[A-Za-z0-9+/_-]{8,}={0,2}/g)].map(([text]) => Buffer.from(text, 'base64')));
}
