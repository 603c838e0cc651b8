// The compose file, read by Docker's own tool. Rule: no engine is needed; what only an engine could show is not claimed here.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const FIXTURES = path.join(ROOT, 'test/fixtures/prosody');

describe('docker-compose.yml', () => {
  let config: string;
  beforeAll(() => {
    config = readConfig({});
  });

  it('listens on this machine alone, on the ports of the native server', () => {
    expect(list(config, 'ports')).toEqual(['127.0.0.1:5222:5222', '127.0.0.1:5223:5223', '127.0.0.1:5000:5000']);
  });

  it('runs the start script and configuration of the native server, on Debian', () => {
    expect(list(config, 'volumes')).toEqual([`${FIXTURES}:/srv/fixtures`, 'prosody:/srv/xmpp']);
    const image = readFileSync(path.join(FIXTURES, 'Dockerfile'), 'utf8');
    expect(image).toMatch(/^FROM debian:bookworm-slim$/m);
    expect(image).toContain('/srv/fixtures/start.sh');
  });

  it('makes two accounts', () => {
    expect(config).toMatch(/XMPP_ACCOUNTS: romeo:\S+ juliet:\S+/);
  });

  it('keeps a test in a folder and on ports of its own', () => {
    const own = readConfig({ XMPP_HOST_DIR: '/srv/own', XMPP_PORT: '20001', XMPP_RATE: '10kb/s', XMPP_ACCOUNTS: '' });
    expect(list(own, 'volumes')).toContain('/srv/own:/srv/xmpp');
    expect(list(own, 'ports')).toContain('127.0.0.1:20001:20001');
    expect(own).toMatch(/XMPP_RATE: 10kb\/s/);
    expect(own).not.toContain('romeo');
  });

  it('passes on every variable that the script and the configuration read, but for those of two servers', () => {
    const text = readFileSync(path.join(FIXTURES, 'prosody.cfg.lua'), 'utf8') + readFileSync(path.join(FIXTURES, 'start.sh'), 'utf8');
    const read = new Set([...text.matchAll(/(?:ENV_|\$\{?)(XMPP_[A-Z0-9_]+)/g)].map(([, name]) => name));
    const passed = new Set([...config.matchAll(/^ +(XMPP_[A-Z0-9_]+):/gm)].map(([, name]) => name));
    const elsewhere = ['XMPP_DIES_WITH_PARENT', 'XMPP_DNS', 'XMPP_LOG', 'XMPP_MODULES', 'XMPP_S2S_PORT', 'XMPP_S2S_RATE', 'XMPP_TLS_DIR'];
    expect(new Set([...read].filter((name) => !passed.has(name)))).toEqual(new Set(elsewhere));
    expect([...passed].filter((name) => !read.has(name))).toEqual([]);
  });
});

function readConfig(env: Readonly<Record<string, string>>): string {
  const [command = '', ...first] = (process.env.XMPP_COMPOSE ?? 'docker-compose').split(' ');
  return execFileSync(command, [...first, '--file', path.join(ROOT, 'docker-compose.yml'), 'config'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The entries of a list as `[address:]source:target`: compose 1 prints them so, compose 2 a line for each part. */
function list(config: string, name: string): string[] {
  const [, block = ''] = new RegExp(`^ +${name}:\\n((?: +- .*\\n(?:      +[^ -].*\\n)*)+)`, 'm').exec(config) ?? [];
  return block.split(/^ +- /m).slice(1).map((entry) => {
    const part = (key: string): string | undefined => new RegExp(`^ *${key}: "?([^"\\n]+)`, 'm').exec(entry)?.[1];
    if (part('target') === undefined) return entry.trim().replace(/\/tcp$|:r[ow]$/, '');
    return [part('host_ip'), part('published') ?? part('source'), part('target')].filter((text) => text !== undefined).join(':');
  });
}
