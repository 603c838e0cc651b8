// Every error of the catalogue, provoked for real: by a command of a person's, or where only a broken server, device or clock gives it, by the spec that is
// named. Rule: a code without a case here does not compile, and a command says code, words, remedy and exit code as the catalogue has them.

import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryOf } from '../../src/lib/fault-catalogue.ts';
import type { FaultCode } from '../../src/lib/fault-catalogue.ts';
import { limitDescriptors } from '../helpers/descriptors.ts';
import { Device } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { startFakeServer } from '../helpers/fake-xmpp-server.ts';
import { showCode } from '../helpers/shown-code.ts';
import { ROOT } from '../helpers/source-files.ts';
import { ACCOUNT, PASSWORD, shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
/** Signed in to nothing. */
let tablet: Device;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ copy } = await shareNotes(setting));
  await setting.desktop.inSync('laptop');
  tablet = await new Device('tablet').prepare();
});

afterAll(async () => {
  await tablet?.remove();
  await setting?.stop();
});

/** A command that fails, and its last words. */
type Provoked = () => Promise<Ended>;
/** What only another spec can bring about: the file, and what it expects there. */
interface Elsewhere {
  readonly spec: string;
  readonly expects: string;
}

const login = (account: string, server: string, password = PASSWORD): Promise<Ended> =>
  tablet.run('git-xmpp', ['login', account, '--server', server, '--password-stdin'], { input: `${password}\n` });
const onDesktop = (...words: string[]): Promise<Ended> => desktop.run('git-xmpp', words);

/** The laptop shows a code; the desktop guesses wrong. @returns what each said */
async function guessWrong(): Promise<{ readonly shown: Ended; readonly guess: Ended }> {
  const { shown, wrong, where } = await showCode(laptop);
  const guess = await onDesktop('pair', wrong, ...where);
  return { shown: await shown.ended, guess };
}

/** In the order in which they may be provoked: what comes late leaves less behind it. */
const PROVOKED: Readonly<Record<FaultCode, Provoked | Elsewhere>> = {
  'wrong-use': () => onDesktop('frobnicate'),
  'no-account': () => tablet.run('git-xmpp', ['sync']),
  'bad-input': () => tablet.run('git-xmpp', ['login', 'romeo@', '--password-stdin'], { input: 'x\n' }),
  'bad-config': async () => {
    const home = tablet.path('broken');
    await mkdir(home, { mode: 0o700 });
    await writeFile(path.join(home, 'config'), '[xmpp\n');
    return tablet.run('git-xmpp', ['status'], { env: { GIT_XMPP_HOME: home } });
  },
  permissions: async () => {
    const home = tablet.path('open');
    await mkdir(home, { mode: 0o777 });
    await writeFile(path.join(home, 'letter.txt'), 'of another program\n');
    await tablet.run('chmod', ['0777', home]);
    return tablet.run('git-xmpp', ['status'], { env: { GIT_XMPP_HOME: home } });
  },
  dns: () => tablet.run('git-xmpp', ['login', 'romeo@nowhere.invalid', '--server', 'nowhere.invalid:5222', '--password-stdin'], { input: 'x\n' }),
  'no-network': { spec: 'test/integration/survival-network.spec.ts', expects: "expect(account.fault).toMatchObject({ code: 'no-network'," },
  tcp: async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    return login('romeo@localhost', `127.0.0.1:${port}`);
  },
  tls: () => login('romeo@localhost', `${setting.server.host}:${setting.server.port}`),
  'no-encryption': async () => {
    const server = await startFakeServer();
    try {
      const ended = login('romeo@localhost', `127.0.0.1:${server.port}`);
      const stream = await server.accept();
      stream.send(`<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='localhost' id='1' version='1.0'><stream:features/>`);
      return await ended;
    } finally {
      await server.stop();
    }
  },
  'no-mechanism': { spec: 'test/integration/bad-input.spec.ts', expects: "expect(account).toMatchObject({ jid: 'romeo@localhost', fault: { code: 'no-mechanism' } });" },
  'wrong-password': () => desktop.run('git-xmpp', ['login', `${ACCOUNT}@localhost`, ...serverOptions(), '--password-stdin'], { input: 'wrong\n' }),
  conflict: { spec: 'test/integration/connection.spec.ts', expects: "expect(await lost).toMatchObject({ code: 'conflict' });" },
  server: () => desktop.run('git-xmpp', ['login', 'romeo@elsewhere.example', ...serverOptions(), '--password-stdin'], { input: 'x\n' }),
  timeout: { spec: 'test/integration/connection.spec.ts', expects: "expect(await lost).toMatchObject({ code: 'timeout' });" },
  'not-connected': { spec: 'test/integration/connection.spec.ts', expects: "expect(await answer).toBe('not-connected');" },
  'too-large': () => onDesktop('share', copy, '--branches', ...Array.from({ length: 700 }, (_none, index) => `${index}${'x'.repeat(100)}`)),
  paused: async () => {
    await onDesktop('pause', '1h', '--repo', copy);
    const ended = await onDesktop('sync', copy);
    await onDesktop('resume', '--repo', copy);
    return ended;
  },
  'no-such-peer': () => onDesktop('rename', 'nobody', 'somebody'),
  'no-such-repo': () => onDesktop('grant', 'laptop', 'nothing', 'read'),
  'newer-protocol': { spec: 'test/integration/bad-input-version.spec.ts', expects: "await expect(asked).rejects.toMatchObject({ code: 'newer-protocol', message });" },
  'bad-code': async () => (await guessWrong()).guess,
  'code-spent': async () => (await guessWrong()).shown,
  throttled: async () => {
    await guessWrong();
    return laptop.run('git-xmpp', ['pair']);
  },
  'not-a-repository': async () => {
    await mkdir(desktop.path('plain'));
    return onDesktop('share', desktop.path('plain'));
  },
  'refused-repository': async () => {
    await desktop.git(desktop.dir, 'clone', '--quiet', '--depth', '1', `file://${copy}`, 'shallow');
    return onDesktop('share', desktop.path('shallow'));
  },
  exists: () => onDesktop('clone', 'laptop/notes', desktop.path('again')),
  git: async () => {
    await laptop.repo('taken');
    await laptop.xmppIn(laptop.path('taken'), 'share', '--new');
    await mkdir(desktop.path('taken'));
    await writeFile(desktop.path('taken/mine.txt'), 'mine\n');
    return onDesktop('clone', 'laptop/taken');
  },
  'not-open': async () => {
    await rename(laptop.path('taken'), laptop.path('elsewhere'));
    await laptop.event(({ type, repo }) => type === 'repo-failed' && repo === 'taken');
    const ended = await onDesktop('clone', 'laptop/taken', desktop.path('later'));
    await rename(laptop.path('elsewhere'), laptop.path('taken'));
    return ended;
  },
  'disk-full': () => desktop.run('sh', ['-c', 'git-xmpp help >/dev/full']),
  'too-many-files': async () => {
    const crowded = await desktop.repo('crowded');
    // One for the command's own connection to the agent.
    const pid = desktop.agentPid();
    const undo = limitDescriptors(pid, 1);
    try {
      return await onDesktop('share', crowded, '--new');
    } finally {
      undo();
      // It is the same agent as before.
      expect([(await desktop.status()).account.state, desktop.agentPid()]).toEqual(['online', pid]);
    }
  },
  'not-granted': async () => {
    await laptop.xmpp('grant', 'desktop', 'notes', 'read');
    await desktop.commit(copy, { 'mine.txt': 'mine\n' }, 'what the laptop does not take');
    const { code, words, remedy } = await desktop.event(({ type, code }) => type === 'offer-failed' && code === 'not-granted');
    return { code: 1, stdout: '', stderr: `git-xmpp: [${String(code)}] ${words}\n  ${remedy ?? entryOf('not-granted').remedy}\n` };
  },
  'already-running': () => onDesktop('daemon', 'run'),
  service: { spec: 'test/integration/service.spec.ts', expects: "expect(told.stderr).toBe('git-xmpp: [service] no service is installed;" },
  internal: { spec: 'test/unit/control/server.spec.ts', expects: "await expect(client.request('POST', '/do')).rejects.toMatchObject({ code: 'internal' });" },
  'peer-offline': async () => {
    await laptop.stop();
    return onDesktop('repos', 'laptop');
  },
  agent: async () => {
    await laptop.stop();
    return laptop.run('git-xmpp', ['daemon', 'status']);
  },
  // Unpaired is for good, so it comes last.
  'not-paired': async () => {
    await laptop.xmpp('daemon', 'start');
    await laptop.event(({ type }) => type === 'online');
    await laptop.xmpp('unpair', 'desktop');
    await desktop.event(({ type }) => type === 'unpaired-here');
    return onDesktop('repos', 'laptop');
  },
};

function serverOptions(): string[] {
  return ['--server', `${setting.server.host}:${setting.server.port}`, '--ca', setting.server.caFile];
}

describe('an error', () => {
  const here = Object.entries(PROVOKED).filter((each): each is [FaultCode, Provoked] => typeof each[1] === 'function');

  it.each(here)('of the code %s is said with its code, a remedy and its exit code', async (code, provoke) => {
    const end = await provoke();
    const [first = '', remedy = ''] = end.stderr.split('\n').slice(end.stderr.split('\n').findIndex((line) => line.startsWith('git-xmpp: ')));
    expect(first, end.stderr).toMatch(new RegExp(`^git-xmpp: \\[${code}\\] .{5,}`));
    expect(remedy, end.stderr).toMatch(/^ {2}\S.{3,}/);
    expect(end.code).toBe(entryOf(code).exitCode);
  });

  it.each(Object.entries(PROVOKED).filter((each): each is [FaultCode, Elsewhere] => typeof each[1] !== 'function'))('of the code %s is provoked elsewhere', (_code, { spec, expects }) => {
    expect(readFileSync(path.join(ROOT, spec), 'utf8')).toContain(expects);
  });

  it('is told to a program that asked for JSON', async () => {
    const end = await tablet.run('git-xmpp', ['status', '--json'], { env: { GIT_XMPP_HOME: tablet.path('broken') } });
    const [line = ''] = end.stderr.split('\n');
    expect(JSON.parse(end.stdout)).toEqual({
      fault: { code: 'bad-config', message: line.replace('git-xmpp: [bad-config] ', ''), remedy: expect.stringMatching(/correct line/) },
    });
    expect(end.code).toBe(1);
    expect(JSON.parse((await tablet.run('git-xmpp', ['log', '--json', '--yaml'])).stdout)).toMatchObject({ fault: { code: 'wrong-use' } });
  });
});
