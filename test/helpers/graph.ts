// Any number of devices on one private server, paired along given edges and no others, and repositories that some of them share.
// Rule: what was started is stopped, also where the setting failed half-way; devices that are not joined by an edge do not know each other.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Device, pairDevices } from './device.ts';
import { runGitAt } from './run-git.ts';
import { startProsody } from './prosody.ts';
import type { Prosody } from './prosody.ts';
import type { Copy } from './copies.ts';

export type Edge = readonly [string, string];

export interface GraphPlan {
  /** Names of devices, by account. */
  readonly accounts: Readonly<Record<string, readonly string[]>>;
  readonly edges: readonly Edge[];
}

export interface SharePlan {
  /** The first founds it; each other clones it from one before it that it is paired with, or from the hub. */
  readonly members: readonly string[];
  readonly policy?: 'ff' | 'merge' | 'none';
  /** Members that have the hub as a remote `hub`, kept in sync both ways. */
  readonly onHub?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

export interface SharedCopies {
  readonly copies: readonly Copy[];
  /** The bare repository, where there is one. */
  readonly hub: string | undefined;
}

const PASSWORD = 'correct-horse';

/** The devices of a plan, running. */
export class Graph {
  readonly server: Prosody;
  readonly #devices = new Map<string, Device>();
  readonly #edges: readonly Edge[];
  /** Where hubs lie. */
  readonly #place = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-hubs-'));

  private constructor(server: Prosody, edges: readonly Edge[]) {
    this.server = server;
    this.#edges = edges;
  }

  static async start({ accounts, edges }: GraphPlan): Promise<Graph> {
    const passwords = Object.fromEntries(Object.keys(accounts).map((name) => [name, PASSWORD]));
    const graph = new Graph(await startProsody({ hasProxy: false, accounts: passwords }), edges);
    try {
      const logins = Object.entries(accounts).flatMap(([account, names]) => names.map((name) => graph.#login(account, name)));
      await Promise.all(logins);
      for (const [one, other] of edges) {
        const { typed } = await pairDevices(graph.device(one), graph.device(other));
        if (typed.code !== 0) throw new Error(`pairing ${one} with ${other} failed: ${typed.stderr}`);
      }
      return graph;
    } catch (error) {
      await graph.stop();
      throw error;
    }
  }

  device(name: string): Device {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Error(`no device is called ${name}`);
    return device;
  }

  /** Makes a repository, and a copy of it on each member. */
  async share(name: string, plan: SharePlan): Promise<SharedCopies> {
    const [founder = '', ...others] = plan.members;
    const onHub = plan.onHub ?? [];
    const first = this.device(founder);
    const dir = await first.repo(name, plan.files ?? { 'README.md': `${name}\n` });
    await must(first, dir, 'share', '--new');
    const hub = onHub.length === 0 ? undefined : await this.#makeHub(name, { device: first, dir });
    const copies: Copy[] = [{ device: first, dir }];
    for (const member of others) copies.push(await this.#join(name, { member, known: copies, hub }));
    for (const copy of copies) {
      await copy.device.git(copy.dir, 'config', 'xmpp.merge', plan.policy ?? 'ff');
      if (hub !== undefined && onHub.includes(copy.device.name)) await useHub(copy, hub);
    }
    return { copies, hub };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => device.remove()));
    await this.server.stop();
    await rm(this.#place, { recursive: true, force: true });
  }

  async #login(account: string, name: string): Promise<void> {
    const device = new Device(name);
    this.#devices.set(name, device);
    await device.prepare();
    await device.login(this.server, account, PASSWORD);
  }

  async #makeHub(name: string, { device, dir }: Copy): Promise<string> {
    const hub = path.join(this.#place, `${name}.git`);
    await runGitAt(this.#place)(['init', '--quiet', '--bare', '--initial-branch=main', hub]);
    await device.git(dir, 'push', '--quiet', hub, 'main');
    return hub;
  }

  async #join(name: string, { member, known, hub }: { readonly member: string; readonly known: readonly Copy[]; readonly hub: string | undefined }): Promise<Copy> {
    const device = this.device(member);
    const copy = { device, dir: device.path(name) };
    const peer = known.find((each) => this.#isEdge(each.device.name, member));
    if (peer !== undefined) {
      await device.xmpp('clone', `${peer.device.name}/${name}`, copy.dir);
    } else {
      if (hub === undefined) throw new Error(`${member} is paired with no member before it, and there is no hub`);
      await device.git(device.dir, 'clone', '--quiet', '--origin', 'hub', hub, copy.dir);
      await must(device, copy.dir, 'share', '--new');
    }
    return copy;
  }

  #isEdge(one: string, other: string): boolean {
    return this.#edges.some((edge) => edge.includes(one) && edge.includes(other));
  }
}

/** Adds the remote where there is none, and lets the agent keep it in sync. */
async function useHub({ device, dir }: Copy, hub: string): Promise<void> {
  await device.git(dir, 'config', 'remote.hub.url', hub);
  await device.git(dir, 'config', 'remote.hub.fetch', '+refs/heads/*:refs/remotes/hub/*');
  await device.git(dir, 'config', 'remote.hub.xmppSync', 'both');
}

async function must(device: Device, dir: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await device.xmppIn(dir, ...args);
  if (code !== 0) throw new Error(`${device.name}: git xmpp ${args.join(' ')} ended with ${code}: ${stderr}`);
}
