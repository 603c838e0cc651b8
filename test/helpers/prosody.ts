// A real, private Prosody for tests, the benchmark and the demo: own folder, own keys, free ports, ready in well under a second.
// Rule: natively and in Docker the same start.sh and prosody.cfg.lua run; a server that does not come up is an error with its own last words.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from './ports.ts';
import { startProcess } from './processes.ts';
import type { Running } from './processes.ts';
import type { XmppServer } from './xmpp-server.ts';

/** What may differ from one start of a server to the next. */
export interface ProsodySettings {
  /** Offers PLAIN and nothing else. */
  readonly isPlainOnly?: boolean;
  /** Offers no SCRAM-SHA-256. */
  readonly hasOnlySha1?: boolean;
  /** Default true. */
  readonly hasPep?: boolean;
  /** What a client may send, such as `10kb/s` (10 000 bytes); default no limit. */
  readonly rate?: string;
  /** Longest stanza in bytes, at least 10 000; default 262 144. */
  readonly stanzaLimit?: number;
  /** Writes down every stanza that comes in; see `stanzaLog`. */
  readonly hasStanzaLog?: boolean;
  /** Default true; false offers no SOCKS5 proxy. */
  readonly hasProxy?: boolean;
  /** Default true; false lets a lost session go at once. */
  readonly hasSmResume?: boolean;
  /** Default true; false offers no stream management at all (XEP-0198). */
  readonly hasSm?: boolean;
  /** A client that says nothing for so many seconds is dropped where it owes an acknowledgement, else asked for one; default 840. */
  readonly readTimeout?: number;
  /** Seconds that a lost session is kept for its client to come back to, where `hasSmResume` is not false; default 600. */
  readonly hibernation?: number;
  /** Default false: Nagle's algorithm off, as it should be on a server. */
  readonly hasNagle?: boolean;
}

export interface ProsodyOptions extends ProsodySettings {
  /** Default false; true runs the configuration that Debian's package installs, to which no setting but `accounts` applies. */
  readonly isStock?: boolean;
  /** Default `localhost`. */
  readonly domain?: string;
  /** Default `127.0.0.1`. */
  readonly address?: string;
  /** Where its SOCKS5 proxy says that it is, such as a proxy before it; default `address`. */
  readonly proxyAddress?: string;
  readonly accounts?: Readonly<Record<string, string>>;
  /** Talks to other servers; see `startFederation`. */
  readonly s2s?: {
    readonly port: number;
    /** A name server, as libunbound writes it: `127.0.0.1@5353`. */
    readonly dns: string;
    /** Folder of keys that all servers share, so that they trust one CA. */
    readonly tlsDir: string;
    /** What another server may send, such as `30kb/s`; default no limit. */
    readonly rate?: string;
  };
}

export interface Prosody extends XmppServer {
  readonly directTlsPort: number;
  readonly s2sPort: number | undefined;
  readonly proxyPort: number;
  readonly caPem: string;
  readonly dir: string;
  readonly pid: number;
  /** Stream management (XEP-0198). */
  readonly hasSm: boolean;
  addAccount(name: string, password: string): Promise<void>;
  deleteAccount(name: string): Promise<void>;
  /** Stops it and starts it on the same ports with the same data; `changes` stay until the next ones. */
  restart(changes?: ProsodySettings): Promise<void>;
  /** Stops it while `work` is done. */
  away<T>(work: () => Promise<T>): Promise<T>;
  /** Every stanza that came in: a line `c2s|s2s TAB sender TAB xml` each. @throws without `hasStanzaLog` */
  stanzaLog(): string;
}

const FIXTURES = path.join(import.meta.dirname, '../fixtures/prosody');
const COMPOSE_FILE = path.join(import.meta.dirname, '../../docker-compose.yml');
const run = promisify(execFile);

/** @throws with Prosody's last lines when it is not ready within 15 s */
export async function startProsody(options: ProsodyOptions = {}): Promise<Prosody> {
  for (let tries = 1; ; tries += 1) {
    const server = await PrivateProsody.create(options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (tries === 3 || !(error instanceof Error && error.message.includes(PORT_TAKEN))) throw error;
    }
  }
}

const PORT_TAKEN = 'Failed to open server port';

interface Ports {
  readonly c2s: number;
  readonly directTls: number;
  readonly proxy: number;
  readonly s2s: number | undefined;
}

class PrivateProsody implements Prosody {
  readonly domain: string;
  readonly host: string;
  readonly dir: string;
  readonly #options: ProsodyOptions;
  readonly #ports: Ports;
  #settings: ProsodySettings;
  #running: Running | undefined;

  static async create(options: ProsodyOptions): Promise<PrivateProsody> {
    const [c2s, directTls, proxy] = await findFreePorts(3, options.address ?? '127.0.0.1');
    if (c2s === undefined || directTls === undefined || proxy === undefined) throw new Error('no free ports');
    return new PrivateProsody(options, { c2s, directTls, proxy, s2s: options.s2s?.port });
  }

  private constructor(options: ProsodyOptions, ports: Ports) {
    this.domain = options.domain ?? 'localhost';
    this.host = options.address ?? '127.0.0.1';
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-prosody-'));
    this.#options = options;
    this.#settings = options;
    this.#ports = ports;
  }

  get port(): number {
    return this.#ports.c2s;
  }

  get directTlsPort(): number {
    return this.#ports.directTls;
  }

  get proxyPort(): number {
    return this.#ports.proxy;
  }

  get hasSm(): boolean {
    return this.#settings.hasSm !== false;
  }

  get s2sPort(): number | undefined {
    return this.#ports.s2s;
  }

  get caFile(): string {
    return path.join(this.#options.s2s?.tlsDir ?? path.join(this.dir, 'tls'), 'ca.pem');
  }

  get caPem(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  get pid(): number {
    if (this.#running === undefined) throw new Error('the server does not run');
    return this.#running.pid;
  }

  async start(): Promise<void> {
    const accounts = Object.entries(this.#options.accounts ?? {}).map(([name, password]) => `${name}:${password}`);
    const [command, ...args] = isInDocker() ? [...compose(), 'up'] : ['/bin/sh', path.join(FIXTURES, 'start.sh')];
    this.#running = await startProcess(command ?? '', args, {
      name: `Prosody for ${this.domain}`,
      env: { ...this.#env(), XMPP_ACCOUNTS: accounts.join(' ') },
      isReady: (output) => isProsodyReady(output, this.#settings.hasProxy !== false && this.#options.isStock !== true),
      ...(isInDocker() ? { deadlineMs: 300_000 } : {}),
    });
    await connectOnce(this.port, this.host);
  }

  async addAccount(name: string, password: string): Promise<void> {
    await this.#control('register', name, this.domain, password);
  }

  async deleteAccount(name: string): Promise<void> {
    await this.#control('unregister', name, this.domain);
  }

  async restart(changes: ProsodySettings = {}): Promise<void> {
    await this.#end();
    this.#settings = { ...this.#settings, ...changes };
    await this.start();
  }

  async away<T>(work: () => Promise<T>): Promise<T> {
    await this.#end();
    try {
      return await work();
    } finally {
      await this.start();
    }
  }

  async stop(): Promise<void> {
    await this.#end();
    await rm(this.dir, { recursive: true, force: true });
  }

  stanzaLog(): string {
    if (this.#settings.hasStanzaLog !== true) throw new Error('the server was started without hasStanzaLog');
    return readFileSync(path.join(this.dir, 'stanzas.log'), 'utf8');
  }

  output(): string {
    return this.#running?.output() ?? '';
  }

  async #end(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
    if (isInDocker()) await run(compose()[0] ?? '', [...compose().slice(1), 'down', '--volumes'], { env: this.#env() });
  }

  async #control(...args: readonly string[]): Promise<void> {
    if (isInDocker()) {
      const [command, ...first] = compose();
      const config = ['prosodyctl', '--config', `/srv/fixtures/${this.#config()}`];
      await run(command ?? '', [...first, 'exec', '-T', 'prosody', ...config, ...args], { env: this.#env() });
    } else {
      await run('prosodyctl', ['--config', path.join(FIXTURES, this.#config()), ...args], { env: this.#env() });
    }
  }

  #config(): string {
    return this.#options.isStock === true ? 'debian.cfg.lua' : 'prosody.cfg.lua';
  }

  #env(): Record<string, string | undefined> {
    const { s2s } = this.#options;
    const settings = this.#settings;
    const dir = isInDocker() ? '/srv/xmpp' : this.dir;
    const values: Record<string, string | undefined> = {
      XMPP_CONFIG: this.#options.isStock === true ? 'debian' : undefined,
      XMPP_DIR: dir,
      XMPP_HOST_DIR: this.dir,
      XMPP_USER: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
      XMPP_MODULES: path.join(isInDocker() ? '/srv/fixtures' : FIXTURES, 'modules'),
      XMPP_TLS_DIR: s2s?.tlsDir ?? path.join(dir, 'tls'),
      XMPP_DOMAIN: this.domain,
      XMPP_ADDRESS: isInDocker() ? '*' : this.host,
      XMPP_PROXY_ADDRESS: this.#options.proxyAddress ?? this.host,
      XMPP_PORT: String(this.port),
      XMPP_DIRECT_TLS_PORT: String(this.directTlsPort),
      XMPP_PROXY_PORT: String(this.proxyPort),
      XMPP_S2S_PORT: s2s === undefined ? undefined : String(s2s.port),
      XMPP_DNS: s2s?.dns,
      XMPP_S2S_RATE: s2s?.rate,
      XMPP_RATE: settings.rate,
      XMPP_STANZA_LIMIT: settings.stanzaLimit?.toString(),
      XMPP_STANZA_LOG: settings.hasStanzaLog === true ? path.join(dir, 'stanzas.log') : undefined,
      XMPP_MECHANISMS: settings.isPlainOnly === true ? 'plain' : settings.hasOnlySha1 === true ? 'sha-1' : undefined,
      XMPP_PEP: settings.hasPep === false ? 'off' : undefined,
      XMPP_PROXY65: settings.hasProxy === false ? 'off' : undefined,
      XMPP_SM_RESUME: settings.hasSmResume === false ? 'off' : undefined,
      XMPP_SM: settings.hasSm === false ? 'off' : undefined,
      XMPP_SM_HIBERNATION: settings.hibernation?.toString(),
      XMPP_READ_TIMEOUT: settings.readTimeout?.toString(),
      XMPP_NAGLE: settings.hasNagle === true ? undefined : 'off',
      XMPP_DIES_WITH_PARENT: 'yes',
      COMPOSE_PROJECT_NAME: path.basename(this.dir).toLowerCase(),
    };
    const set = Object.entries(values).filter(([, value]) => value !== undefined);
    const { PATH, HOME, DOCKER_HOST } = process.env;
    return { PATH, HOME, DOCKER_HOST, ...Object.fromEntries(set) };
  }
}

function isInDocker(): boolean {
  return process.env.XMPP_SERVER === 'docker';
}

/** The compose command that set-up found, such as `docker compose` or `docker-compose`. */
function compose(): string[] {
  return [...(process.env.XMPP_COMPOSE ?? 'docker-compose').split(' '), '--file', COMPOSE_FILE];
}

function isProsodyReady(output: string, hasProxy: boolean): boolean {
  if (output.includes(PORT_TAKEN)) throw new Error(PORT_TAKEN);
  return ['c2s', 'c2s_direct_tls', ...(hasProxy ? ['proxy65'] : [])].every((service) => output.includes(`Activated service '${service}' on [`));
}

function connectOnce(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
