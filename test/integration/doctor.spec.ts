// Each link of the chain broken for real, one after the other: what `git xmpp doctor` calls it, and what the command says that hit it.
// Rule: real agents and git, a real Prosody in each state; the doctor names the broken link, and nothing else as broken.

import { copyFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { appendFile, chmod, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findHome } from '../../src/home/paths.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { examine } from '../helpers/examine.ts';
import { findFreePorts } from '../helpers/ports.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';

const PASSWORD = 'correct-horse';
const OTHER_PASSWORD = 'battery-staple';
/** Where the server says that its proxy is. */
const PROXY_ADDRESS = '127.0.0.2';

let server: Prosody;
/** Stands before the server for the laptop alone. */
let network: TcpProxy;
/** Stands before its SOCKS5 proxy. */
let proxy: TcpProxy;
let laptop: Device;
let desktop: Device;
let holidays: string;

beforeAll(async () => {
  server = await startProsody({ proxyAddress: PROXY_ADDRESS });
  await server.addAccount('romeo', PASSWORD);
  network = await startTcpProxy({ host: server.host, port: server.port });
  proxy = await startTcpProxy({ host: server.host, port: server.proxyPort }, { host: PROXY_ADDRESS, port: server.proxyPort });
  [laptop, desktop] = [await new Device('laptop').prepare(), await new Device('desktop').prepare()];
  for (const device of [laptop, desktop]) {
    await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    copyFileSync(server.caFile, device.path('ca.pem'));
    await signIn(device, PASSWORD);
  }
  await pairDevices(laptop, desktop);
  holidays = await laptop.repo('holidays');
  await laptop.xmppIn(holidays, 'share');
  await desktop.xmpp('clone', 'laptop/holidays');
});

afterAll(async () => {
  for (const part of [laptop, desktop]) await part?.remove();
  await network?.stop();
  await proxy?.stop();
  await server?.stop();
});

function signIn(device: Device, password: string, more: readonly string[] = ['--ca', device.path('ca.pem')]): Promise<Ended> {
  const at = device === laptop ? network : server;
  return device.run('git-xmpp', ['login', 'romeo@localhost', '--server', `${at.host}:${at.port}`, '--device', device.name, '--password-stdin', ...more], { input: `${password}\n` });
}

/** A command that has to fail, and what it says. */
async function saidBy(device: Device, command: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await device.run(command, args, { cwd: device === laptop ? holidays : device.dir });
  expect(code, stderr).not.toBe(0);
  return stderr;
}

const whenOnline = (device: Device): Promise<unknown> => device.statusWhen(({ account }) => account.state === 'online');

describe('git xmpp doctor, where all is well', () => {
  it('tries every link, says what it measured, and leaves the agent signed in', async () => {
    const address = (await laptop.status()).account.address;
    const found = await examine(laptop);
    expect(found.broken).toEqual([]);
    expect(found.notTried).toEqual([]);
    expect(found.of('tls')?.words).toMatch(/TLSv1\.3, certificate of localhost by git-xmpp private CA, until \d{4}-\d\d-\d\d, SHA-256 [0-9a-f]{8}…, in use since/);
    expect(found.of('sign-in')?.facts).toMatchObject({ mechanism: expect.stringMatching(/^SCRAM-SHA-256/), iterations: 10_000 });
    expect(found.of('stream-management')?.state).toBe('ok');
    expect(found.of('clock')?.words).toMatch(/agree within/);
    expect(found.of('proxy')).toMatchObject({ about: 'proxy.localhost', state: 'ok', words: expect.stringMatching(/passed a byte each way/) });
    expect(found.of('in-band')?.facts).toMatchObject({ bytes: expect.any(Number), rate: expect.any(Number) });
    expect(found.of('peer')).toMatchObject({ about: 'desktop', state: 'ok', words: expect.stringMatching(/desktop \(romeo@localhost\) answers in \d+ ms, (?:socks5|in-band)/) });
    const { account } = await laptop.status();
    expect(account).toMatchObject({ state: 'online', address });
    expect(laptop.log()).not.toMatch(/not signed in/);
  });

  it('says it in a line each, with the remedy below, and the verdict last', async () => {
    await chmod(path.join(laptop.home, 'peers.json'), 0o644);
    const { stdout, stderr, code } = await laptop.run('git-xmpp', ['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning {2}files +.*peers\.json is open to others \(0644\)\n +chmod 600 '/m);
    expect(stdout).toMatch(/^ok {7}pep /m);
    expect(stderr).toMatch(/^nothing is broken, \d warnings?$/m);
    await chmod(path.join(laptop.home, 'peers.json'), 0o600);
  });

  it('writes a support file for its owner alone, with neither secrets nor names, and over nothing', async () => {
    const { home, credentials } = { home: findHome(laptop.env), credentials: findHome(laptop.env).credentials };
    await appendFile(home.log, `2026-11-25T00:00:00.000Z info somewhere: said="${PASSWORD} is what was typed"\n`);
    const file = laptop.path('help.json');
    const made = await laptop.run('git-xmpp', ['doctor', '--bundle', file]);
    expect(made.stderr).toMatch(/holds: versions, what the doctor found, status, \d+ events, \d+ settings, \d+ lines of the log\n.*no secrets/);
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const secret of [PASSWORD, 'PRIVATE KEY', 'AGE-SECRET-KEY', 'romeo@', 'desktop', 'holidays', laptop.dir, credentials]) expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toMatchObject({ doctor: { isWell: true }, status: { account: { jid: 'user-1@host-1' } }, settings: expect.arrayContaining(['account.jid = user-1@host-1']) });
    const again = await laptop.run('git-xmpp', ['doctor', '--bundle', file]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('help.json is there already') });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('a broken link of the chain', () => {
  it('no account: all that stands on it is not tried', async () => {
    const device = await new Device('tablet').prepare();
    onTestFinished(() => device.remove());
    const found = await examine(device);
    expect(found.broken).toEqual(['account']);
    expect(found.of('account')).toMatchObject({ code: 'no-account', remedy: expect.stringContaining('git xmpp login') });
    expect(found.notTried).toEqual(expect.arrayContaining(['password', 'dns', 'sign-in', 'in-band']));
  });

  it('an agent that cannot start: the way to the server is tried all the same', async () => {
    const device = await new Device('tablet').prepare();
    onTestFinished(() => device.remove());
    await device.login(server, 'romeo', PASSWORD);
    await device.stop();
    await writeFile(path.join(device.home, 'peers.json'), '{"version": 1, "peers": [');
    const found = await examine(device);
    expect(found.broken).toEqual(['agent']);
    expect(found.of('agent')?.words).toMatch(/could not be started: .*peers\.json: is no whole JSON text/);
    expect(found.of('in-band')?.state).toBe('ok');
    expect(await saidBy(device, 'git-xmpp', 'status')).toMatch(/peers\.json: is no whole JSON text/);
  });

  it('a name that DNS does not know', async () => {
    const device = await new Device('tablet').prepare();
    onTestFinished(() => device.remove());
    await device.xmpp('daemon', 'start');
    const login = await device.run('git-xmpp', ['login', 'romeo@nowhere.invalid', '--password-stdin'], { input: 'x\n' });
    expect(login).toMatchObject({ code: 1, stderr: expect.stringMatching(/"nowhere\.invalid" could not be looked up/) });
    await device.stop();
    await writeFile(findHome(device.env).config, '[account]\n\tjid = romeo@nowhere.invalid\n', { mode: 0o600 });
    await writeFile(findHome(device.env).credentials, 'xmpp://romeo:secret@nowhere.invalid\n', { mode: 0o600 });
    const found = await examine(device);
    expect(found.broken).toEqual(['dns']);
    expect(found.of('dns')).toMatchObject({ code: 'dns', words: expect.stringContaining('"nowhere.invalid" could not be looked up') });
    await device.statusWhen(({ account }) => account.fault?.code === 'dns');
    expect(await saidBy(device, 'git-xmpp', 'sync')).toMatch(/"nowhere\.invalid" could not be looked up/);
  });

  it('a port that is closed: no command blames the peer for it', async () => {
    const [port] = await findFreePorts(1);
    expect(await laptop.run('git-xmpp', ['login', 'romeo@localhost', '--server', `127.0.0.1:${port}`, '--password-stdin'], { input: 'x\n' })).toMatchObject({ code: 1, stderr: expect.stringMatching(/refused the connection/) });
    await server.away(async () => {
      await laptop.statusWhen(({ account }) => account.fault?.code === 'tcp');
      const [found, push, clone, sync] = await Promise.all([
        examine(laptop),
        saidBy(laptop, 'git', 'push', 'desktop', 'HEAD:refs/heads/x'),
        saidBy(laptop, 'git', 'clone', 'xmpp::desktop/holidays', laptop.path('copy')),
        saidBy(laptop, 'git-xmpp', 'sync'),
      ]);
      expect(found.broken).toEqual(['tls']);
      for (const said of [push, clone]) expect(said).toMatch(/desktop cannot be reached, for this device is not online: .*closed the connection/);
      expect(sync).toMatch(/closed the connection/);
    });
    await whenOnline(laptop);
  });

  it('a certificate that is not trusted, and one that has changed: a login with the new authority mends it', async () => {
    expect(await signIn(desktop, PASSWORD, [])).toMatchObject({ code: 1, stderr: expect.stringMatching(/signed by nobody this machine trusts \(of localhost by git-xmpp private CA, until [^]*--ca file/) });
    await server.away(() => Promise.resolve(rmSync(path.join(server.dir, 'tls'), { recursive: true })));
    await laptop.statusWhen(({ account }) => account.fault?.code === 'tls');
    const found = await examine(laptop);
    expect(found.broken).toEqual(['tls']);
    expect(found.of('tls')?.words).toMatch(/nobody this machine trusts: of localhost by git-xmpp private CA, until .*, another than before/);
    expect(found.notTried).toEqual(expect.arrayContaining(['sign-in', 'pep', 'proxy', 'in-band']));
    expect((await laptop.xmpp('status')).stdout).toMatch(/another than before[^]*the certificate has changed: if the server's operator says so[^]*try another network/);
    expect(await saidBy(laptop, 'git-xmpp', 'sync')).toMatch(/another than before/);
    for (const device of [laptop, desktop]) {
      copyFileSync(server.caFile, device.path('ca.pem'));
      expect(await signIn(device, PASSWORD)).toMatchObject({ code: 0 });
    }
    expect((await laptop.status()).peers).toMatchObject([{ petname: 'desktop' }]);
  });

  it('a password that was changed elsewhere: stopped, not tried again and again, and a login mends it', async () => {
    await server.deleteAccount('romeo');
    await server.addAccount('romeo', OTHER_PASSWORD);
    const before = await examine(laptop);
    expect(before.broken).toEqual(['sign-in']);
    expect(before.of('sign-in')).toMatchObject({ code: 'wrong-password' });
    network.cut();
    await laptop.statusWhen(({ account }) => account.state === 'stopped');
    const after = await examine(laptop);
    expect(after.broken).toEqual(['password']);
    expect(after.of('password')).toMatchObject({ code: 'wrong-password', words: 'the server did not accept the password of romeo@localhost', remedy: 'git xmpp login romeo@localhost' });
    expect((await laptop.xmpp('status')).stdout).toMatch(/stopped: the server did not accept the password[^]*git xmpp login/);
    expect(await saidBy(laptop, 'git', 'push', 'desktop', 'HEAD:refs/heads/x')).toMatch(/for this device is not online: the server did not accept the password/);
    expect(await signIn(laptop, 'a guess')).toMatchObject({ code: 1, stderr: expect.stringContaining('did not accept the password') });
    for (const device of [laptop, desktop]) expect(await signIn(device, OTHER_PASSWORD)).toMatchObject({ code: 0 });
    await laptop.inSync('desktop');
  });

  it('a proxy that is down: the doctor names it, and status why nothing is faster', async () => {
    await proxy.stop();
    // A link that is new tries at once.
    await laptop.stop();
    await laptop.xmpp('daemon', 'start');
    const { peers } = await laptop.statusWhen((status) => status.peers.some(({ links }) => links.some(({ noBetter = '' }) => noBetter.includes('proxy.localhost'))));
    expect(peers).toMatchObject([{ petname: 'desktop', isOnline: true }]);
    const [found, status] = await Promise.all([examine(laptop), laptop.xmpp('status')]);
    expect(found.broken).toEqual(['proxy']);
    expect(found.of('proxy')).toMatchObject({ about: 'proxy.localhost', code: 'tcp', words: expect.stringMatching(/^proxy\.localhost \(127\.0\.0\.2 port \d+\) carries nothing: .*ECONNREFUSED/) });
    expect(status.stdout).toMatch(/no better way: .*reached none of the addresses that were offered: the proxy proxy\.localhost at 127\.0\.0\.2 port \d+/);
  });

  it('no PEP, and a server that throttles', async () => {
    await server.restart({ hasPep: false, hasProxy: false, rate: '10kb/s' });
    await Promise.all([laptop, desktop].map(whenOnline));
    const found = examine(laptop);
    expect(await saidBy(laptop, 'git-xmpp', 'pair', '--invite')).toMatch(/no personal eventing \(PEP, XEP-0163\)/);
    await writeFile(path.join(holidays, 'photo'), randomBytes(200_000));
    await laptop.git(holidays, 'add', 'photo');
    await laptop.git(holidays, 'commit', '--quiet', '-m', 'a photo');
    await laptop.statusWhen((status) => status.peers.some(({ links }) => links.some(({ kind, srttMs, up }) => kind === 'in-band' && srttMs >= 500 && up > 0)));
    expect((await laptop.xmpp('status')).stdout).toMatch(/the server throttles what goes in-band/);
    expect((await found).broken).toEqual(['pep']);
    expect((await found).of('pep')).toMatchObject({ code: 'server', words: expect.stringContaining('PEP') });
    expect((await found).of('proxy')).toMatchObject({ state: 'warn', code: 'no-proxy' });
    expect((await found).of('in-band')).toMatchObject({ state: 'warn', code: 'throttled', words: expect.stringMatching(/the server throttles what is sent: \d+\.\d kB\/s/) });
    // 7.2 kB a second are what is left of 10 000 bytes; whole blocks come and go.
    expect(Number((await found).of('in-band')?.facts?.['rate'])).toBeLessThan(15_000);
  });

  it('a peer that is off: a warning, and every command says that it is the peer', async () => {
    await server.restart({ hasPep: true, hasProxy: true, rate: '100mb/s' });
    await desktop.stop();
    await whenOnline(laptop);
    const other = await laptop.repo('other');
    const [found, push, clone, share] = await Promise.all([
      examine(laptop),
      saidBy(laptop, 'git', 'push', 'desktop', 'HEAD:refs/heads/x'),
      saidBy(laptop, 'git', 'clone', 'xmpp::desktop/holidays', laptop.path('copy')),
      laptop.xmppIn(other, 'share'),
    ]);
    expect(found.of('peer')).toMatchObject({ about: 'desktop', state: 'warn', code: 'peer-offline', words: expect.stringMatching(/^desktop is offline \(last seen/) });
    for (const said of [push, clone, share.stderr]) expect(said).toMatch(/desktop is offline \(last seen/);
    expect((await laptop.xmpp('status')).stdout).toMatch(/desktop +offline since/);
  });

  it("the system's limit of watched folders", async () => {
    const device = await new Device('tablet').prepare();
    onTestFinished(() => device.remove());
    // A limit of this user namespace alone: nothing else on the machine has it.
    const few = 'echo 2 > /proc/sys/user/max_inotify_watches && exec git-xmpp daemon start';
    const started = await device.run('unshare', ['--user', '--map-root-user', 'sh', '-c', few]);
    expect(started.stderr, 'this spec needs user namespaces').toContain('the agent runs');
    expect(await device.run('git-xmpp', ['login', 'romeo@localhost', '--server', `${server.host}:${server.port}`, '--ca', server.caFile, '--password-stdin'], { input: `${OTHER_PASSWORD}\n` })).toMatchObject({ code: 0 });
    const repo = await device.repo('photos');
    expect(await device.xmppIn(repo, 'share')).toMatchObject({ code: 0, stderr: expect.stringMatching(/but .* is not watched: the system's limit of watched folders is reached: sysctl fs\.inotify\.max_user_watches=/) });
    expect((await device.xmpp('status')).stdout).toMatch(/note +photos: .* limit of watched folders is reached/);
    const found = await examine(device);
    expect(found.broken).toContain('watches');
    expect(found.of('watches')).toMatchObject({ code: 'watch-limit', words: expect.stringMatching(/limit of watched folders is reached/), remedy: expect.stringMatching(/^sudo sysctl fs\.inotify\.max_user_watches=\d+$/) });
    expect(found.of('repository')).toMatchObject({ about: 'photos', state: 'warn', code: 'watch-limit' });
  });
});
