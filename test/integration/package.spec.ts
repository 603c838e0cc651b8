// The package as a new user has it: packed, installed into an empty prefix, and the README's first use typed with nothing else of ours on the path.
// Rule: the network is not needed, since there is nothing but the package itself to be fetched.

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../helpers/device.ts';
import type { Ended, Ongoing } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const MAX_INSTALLED_BYTES = 4_000_000;
const PASSWORD = 'correct-horse';
const run = promisify(execFile);

let dir: string;
let prefix: string;
let server: Prosody;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-package-'));
  prefix = path.join(dir, 'prefix');
  await npm('pack', ROOT, '--pack-destination', dir, '--loglevel', 'error');
  const packed = readdirSync(dir).find((name) => name.endsWith('.tgz')) ?? '';
  await npm('install', '--global', '--prefix', prefix, '--offline', path.join(dir, packed));
  server = await startProsody({ accounts: { romeo: PASSWORD } });
  const env = { PATH: [path.join(prefix, 'bin'), path.dirname(process.execPath), '/usr/bin', '/bin'].join(':') };
  laptop = await new Device('laptop', env).prepare();
  desktop = await new Device('desktop', env).prepare();
});

afterAll(async () => {
  await laptop?.remove();
  await desktop?.remove();
  await server?.stop();
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
});

/** npm with a cache of its own, which is empty. */
async function npm(...args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: dir, npm_config_cache: path.join(dir, 'cache'), npm_config_update_notifier: 'false' };
  await run('npm', [...args, '--no-audit', '--no-fund'], { env, cwd: dir });
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !statSync(path.join(folder, name)).isDirectory());
}

/** The commands of the README's first use, such as `git xmpp share`, in order: `laptop$ …` and `desktop$ …`. */
function firstUse(): { readonly on: string; readonly words: readonly string[] }[] {
  const block = /## Use it\n[\s\S]*?(laptop\$[\s\S]*?)```/.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
  return block.split('\n').flatMap((line) => {
    const [, on, typed] = /^(laptop|desktop)\$ +git xmpp (.*?)(?: {2,}#.*)?$/.exec(line) ?? [];
    return on === undefined || typed === undefined ? [] : [{ on, words: typed.split(' ') }];
  });
}

/** What has to be said beside it to a private server, and by whom nobody sits before. */
function login(device: Device): Promise<Ended> {
  return device.login(server, 'romeo', PASSWORD);
}

describe('the package', () => {
  it('is itself alone: no other package, no source map, no test, within 4 MB', () => {
    const installed = path.join(prefix, 'lib/node_modules');
    expect(readdirSync(installed).filter((name) => !name.startsWith('.'))).toEqual(['git-xmpp']);
    const files = filesIn(path.join(installed, 'git-xmpp'));
    expect(files.filter((name) => !/^(dist\/[a-z-]+\.(cjs|mjs)|dist\/LICENCES\.txt|docs\/[\w-]+\.(1|md)|README\.md|CHANGELOG\.md|LICENSE|package\.json)$/.test(name))).toEqual([]);
    const bytes = files.reduce((sum, name) => sum + statSync(path.join(installed, 'git-xmpp', name)).size, 0);
    expect(bytes).toBeLessThan(MAX_INSTALLED_BYTES);
  });

  it('tells the licence of each package that it holds', () => {
    const text = readFileSync(path.join(prefix, 'lib/node_modules/git-xmpp/dist/LICENCES.txt'), 'utf8');
    for (const name of ['@xmpp/client', 'ltx', '@noble/curves', 'age-encryption', 'execa', 'commander', 'uqr']) expect(text).toMatch(new RegExp(`^${name} \\d\\S* \\(`, 'm'));
  });

  it('has a manual page where git looks for it', () => {
    const page = path.join(prefix, 'share/man/man1/git-xmpp.1');
    expect(existsSync(page)).toBe(true);
    const found = spawnSync('man', ['--where', 'git-xmpp'], { env: { PATH: laptop.env['PATH'] }, encoding: 'utf8' });
    // Where there is a man(1) that finds pages beside the search path.
    if (found.status === 0) expect(realpathSync(found.stdout.trim())).toBe(realpathSync(page));
  });

  it('does what the README begins with', async () => {
    const notes = await laptop.repo('notes');
    const ran: string[] = [];
    let shown: Ongoing | undefined;
    for (const { on, words } of firstUse()) {
      const device = on === 'laptop' ? laptop : desktop;
      ran.push(`${on}: ${words[0]}`);
      if (words[0] === 'login') await login(device);
      else if (words[0] === 'pair' && words.length === 1) shown = laptop.start('git', ['xmpp', 'pair']);
      else if (words[0] === 'pair') {
        const line = (await shown?.line(/^git xmpp pair \d/)) ?? '';
        expect(await desktop.run('git', line.split(' ').slice(1))).toMatchObject({ code: 0 });
        expect(await shown?.ended).toMatchObject({ code: 0 });
      } else {
        // The README shows the code on one machine while the other goes on.
        const end = await device.run('git', ['xmpp', ...words], { cwd: on === 'laptop' ? notes : device.dir });
        expect(end, words.join(' ')).toMatchObject({ code: 0 });
      }
    }
    expect(ran).toEqual(['laptop: login', 'laptop: pair', 'laptop: share', 'desktop: login', 'desktop: pair', 'desktop: clone']);
    const oid = await laptop.commit(notes, { 'news.txt': 'arrived\n' }, 'news');
    await desktop.head(desktop.path('notes'), oid);
  });

  it('removed again leaves nothing', async () => {
    // Its commands end what runs, so the devices go first.
    await laptop.remove();
    await desktop.remove();
    await npm('uninstall', '--global', '--prefix', prefix, 'git-xmpp');
    expect(filesIn(prefix)).toEqual([]);
  });
});
