// A real, private ejabberd for tests: Debian's own configuration with a port, a certificate and a folder of its own.
// Rule: what is not a place is left as the package has it, limits too; a server that does not come up is an error with its own last words.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { makeCertificate } from './certificates.ts';
import { findFreePorts } from './ports.ts';
import { startProcess } from './processes.ts';
import type { Running } from './processes.ts';
import type { XmppServer } from './xmpp-server.ts';

export const STOCK = '/etc/ejabberd/ejabberd.yml';
const LIBRARIES = '/usr/lib';
const READY = 'accounts are there';
const HOST = '127.0.0.1';

export interface EjabberdOptions {
  /** Name to password. */
  readonly accounts: Readonly<Record<string, string>>;
}

/** @throws when ejabberd is not installed, or with its last lines when it is not ready within 30 s */
export async function startEjabberd({ accounts }: EjabberdOptions): Promise<XmppServer> {
  if (!existsSync(STOCK)) throw new Error(`there is no ${STOCK}: apt-get install ejabberd`);
  const [port] = await findFreePorts(1, HOST);
  if (port === undefined) throw new Error('no free port');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-ejabberd-'));
  mkdirSync(path.join(dir, 'db'));
  const { key, cert } = makeCertificate('localhost');
  const caFile = path.join(dir, 'ca.pem');
  writeFileSync(caFile, cert);
  writeFileSync(path.join(dir, 'server.pem'), cert + key, { mode: 0o600 });
  writeFileSync(path.join(dir, 'ejabberd.yml'), configure(readFileSync(STOCK, 'utf8'), { port, certificate: path.join(dir, 'server.pem') }));
  writeFileSync(path.join(dir, 'accounts.erl'), registerAll(accounts), { mode: 0o600 });
  let running: Running | undefined = await run(dir);
  const end = async (): Promise<void> => {
    await running?.stop();
    running = undefined;
  };
  return {
    domain: 'localhost',
    host: HOST,
    port,
    caFile,
    restart: async () => {
      await end();
      running = await run(dir);
    },
    stop: async () => {
      await end();
      await rm(dir, { recursive: true, force: true });
    },
    output: () => running?.output() ?? '',
  };
}

/** The package's file, with one listener at a place of ours: it is the only thing that cannot be shared with a server of the machine's. */
export function configure(stock: string, { port, certificate }: { readonly port: number; readonly certificate: string }): string {
  const listener = /^listen:\n(?:\s+-\n(?:\s{4}.*\n)+)+/m;
  if (!listener.test(stock)) throw new Error(`${STOCK} has no list of listeners that is known here`);
  const first = /^\s+-\n\s{4}port: 5222\n(?:\s{4}.*\n)+/m.exec(stock)?.[0];
  if (first === undefined) throw new Error(`${STOCK} has no listener at 5222`);
  const ours = first.replace('port: 5222', `port: ${port}`).replace('ip: "::"', `ip: "${HOST}"`);
  return stock.replace(listener, `listen:\n${ours}`).replaceAll('/etc/ejabberd/ejabberd.pem', certificate);
}

/** Erlang that makes the accounts where they are absent, then says that all is ready. */
export function registerAll(accounts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(accounts).map(([name, password]) => `ejabberd_auth:try_register(${binary(name)}, <<"localhost">>, ${binary(password)}),`);
  return [...lines, `io:format("${READY}~n").`].join('\n');
}

function binary(text: string): string {
  return `<<"${text.replace(/["\\]/g, '\\$&')}"/utf8>>`;
}

function run(dir: string): Promise<Running> {
  const evaluate = `{ok, _} = file:script(${JSON.stringify(path.join(dir, 'accounts.erl'))}).`;
  const args = ['-noshell', '-noinput', '-pa', findBeams(), '-mnesia', 'dir', JSON.stringify(path.join(dir, 'db')), '-s', 'ejabberd', '-eval', evaluate];
  return startProcess('setpriv', ['--pdeathsig', 'TERM', 'erl', ...args], {
    name: 'ejabberd',
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      EJABBERD_CONFIG_PATH: path.join(dir, 'ejabberd.yml'),
      EJABBERD_LOG_PATH: path.join(dir, 'ejabberd.log'),
      SPOOL_DIR: path.join(dir, 'db'),
    },
    isReady: (output) => output.includes(READY),
    deadlineMs: 30_000,
  });
}

/** Where the package has its modules: the folder is called after machine and version. */
export function findBeams(): string {
  for (const machine of readdirSync(LIBRARIES)) {
    const folder = path.join(LIBRARIES, machine);
    const found = machine.endsWith('-linux-gnu') ? readdirSync(folder).filter((name) => name.startsWith('ejabberd-')) : [];
    const ebin = found.map((name) => path.join(folder, name, 'ebin')).find((each) => existsSync(path.join(each, 'ejabberd.app')));
    if (ebin !== undefined) return ebin;
  }
  throw new Error(`ejabberd's modules are nowhere under ${LIBRARIES}`);
}
