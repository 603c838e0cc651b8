// Two nodes of one ejabberd, on loopback: Debian's own configuration on each, one set of accounts, and agents of both see each other.
// Rule: Erlang's name server and its connections between nodes listen on 127.0.0.1 alone, at ports of this cluster's own; limits on what a client may
// send are off, as an operator's would be who takes two machines for speed, and each node has a SOCKS5 proxy (mod_proxy65).

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { makeCertificate } from './certificates.ts';
import { configure, findBeams, registerAll, STOCK } from './ejabberd.ts';
import { findFreePorts } from './ports.ts';
import { startProcess } from './processes.ts';
import type { Running } from './processes.ts';

const HOST = '127.0.0.1';
const READY = 'accounts are there';
const NODE_MS = 120_000;

export interface ClusterNode {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  readonly pid: number;
  /** Ends this node alone. */
  stop(): Promise<void>;
  /** What it wrote last. */
  output(): string;
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  stop(): Promise<void>;
}

/** @throws when ejabberd is not installed, or with its last lines when a node is not ready in time */
export async function startCluster({ accounts }: { readonly accounts: Readonly<Record<string, string>> }): Promise<Cluster> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-cluster-'));
  const ports = await findFreePorts(7, HOST);
  const [names = 0] = ports;
  const ends: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const epmd = await startProcess('setpriv', ['--pdeathsig', 'TERM', 'epmd', '-debug', '-port', String(names), '-address', HOST], {
      name: 'epmd',
      env: { PATH: process.env.PATH },
      isReady: (output) => output.includes('epmd running'),
    });
    ends.push(() => epmd.stop());
    const cookie = randomBytes(16).toString('hex');
    const { key, cert } = makeCertificate('localhost');
    const shared = { dir, names, cookie, key, cert };
    const first = await startNode(shared, { name: 'first', client: ports[1] ?? 0, dist: ports[2] ?? 0, proxy: ports[5] ?? 0, evaluate: registerAll(accounts) });
    ends.push(() => first.stop());
    // The accounts are in tables that both nodes hold from here on.
    const evaluate = `ok = ejabberd_cluster:join('first@localhost'),\nio:format("${READY}~n").`;
    const second = await startNode(shared, { name: 'second', client: ports[3] ?? 0, dist: ports[4] ?? 0, proxy: ports[6] ?? 0, evaluate });
    ends.push(() => second.stop());
    return { nodes: [first, second], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Shared {
  readonly dir: string;
  /** Port of Erlang's name server. */
  readonly names: number;
  readonly cookie: string;
  readonly key: string;
  readonly cert: string;
}

interface NodePlace {
  readonly name: string;
  /** Ports: of clients, of other nodes, of the proxy. */
  readonly client: number;
  readonly dist: number;
  readonly proxy: number;
  /** Erlang that is evaluated once the node is up. */
  readonly evaluate: string;
}

async function startNode({ dir, names, cookie, key, cert }: Shared, node: NodePlace): Promise<ClusterNode> {
  const { name, client, dist, proxy, evaluate } = node;
  const home = path.join(dir, name);
  mkdirSync(path.join(home, 'db'), { recursive: true });
  writeFileSync(path.join(home, '.erlang.cookie'), cookie, { mode: 0o400 });
  const [caFile, certificate, script] = [path.join(home, 'ca.pem'), path.join(home, 'server.pem'), path.join(home, 'begin.erl')];
  writeFileSync(caFile, cert);
  writeFileSync(certificate, cert + key, { mode: 0o600 });
  writeFileSync(script, evaluate, { mode: 0o600 });
  writeFileSync(path.join(home, 'ejabberd.yml'), withProxy(withoutLimits(configure(readFileSync(STOCK, 'utf8'), { port: client, certificate })), proxy));
  const kernel = ['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', 'inet_dist_listen_min', String(dist), 'inet_dist_listen_max', String(dist)];
  const ejabberd = ['-pa', findBeams(), '-mnesia', 'dir', JSON.stringify(path.join(home, 'db')), '-s', 'ejabberd'];
  const begin = `{ok, _} = file:script(${JSON.stringify(script)}).`;
  const running: Running = await startProcess('setpriv', ['--pdeathsig', 'TERM', 'erl', '-noshell', '-noinput', '-sname', `${name}@localhost`, '-start_epmd', 'false', ...kernel, ...ejabberd, '-eval', begin], {
    name: `ejabberd, ${name} node`,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      ERL_EPMD_PORT: String(names),
      ERL_EPMD_ADDRESS: HOST,
      EJABBERD_CONFIG_PATH: path.join(home, 'ejabberd.yml'),
      EJABBERD_LOG_PATH: path.join(home, 'ejabberd.log'),
      SPOOL_DIR: path.join(home, 'db'),
    },
    isReady: (output) => output.includes(READY),
    deadlineMs: NODE_MS,
  });
  return { domain: 'localhost', host: HOST, port: client, caFile, pid: running.pid, stop: () => running.stop(), output: () => running.output() };
}

/** Debian lets a client send 3 000 bytes a second. */
function withoutLimits(config: string): string {
  const limits = '  c2s_shaper:\n    none: admin\n    normal: all\n';
  if (!config.includes(limits)) throw new Error(`${STOCK} has no limits that are known here`);
  return config.replace(limits, '  c2s_shaper:\n    none: all\n');
}

/** Debian has it commented out. */
function withProxy(config: string, port: number): string {
  const next = '  mod_pubsub:\n';
  if (!config.includes(next)) throw new Error(`${STOCK} has no list of modules that is known here`);
  const options = ['access: local', 'max_connections: 50', `ip: "${HOST}"`, `hostname: "${HOST}"`, `port: ${port}`];
  return config.replace(next, `  mod_proxy65:\n${options.map((option) => `    ${option}\n`).join('')}${next}`);
}
