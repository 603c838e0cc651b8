// Which remotes are hubs (`remote.<name>.xmppSync`), and what is remembered of them. Rule: absent means never touched; a setting that cannot be followed is
// named, and touches nothing either.

import { InputFault } from '../lib/errors.ts';
import { parseOid, parseRefName } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import { isHubName } from '../git/hub-format.ts';
import { parseRecord, parseText } from '../sync/digest-format.ts';
import type { HubMode } from '../sync/hub-machine.ts';

export interface HubSetting {
  readonly remote: string;
  readonly mode: HubMode;
}

/** The last tip of each branch that was acted on, by source. */
export type ActedTips = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What outlives the agent. */
export interface HubsState {
  /** What our own tips are called at every hub: a part of a ref name, chosen once; empty before. */
  readonly folder: string;
  readonly hubs: Readonly<Record<string, { readonly url: string; readonly acted: ActedTips }>>;
}

/** @returns the hubs of a configuration, and in words what is wrong with other settings of that name */
export function readHubSettings(config: ReadonlyMap<string, readonly string[]>): { readonly hubs: readonly HubSetting[]; readonly wrong: readonly string[] } {
  const hubs: HubSetting[] = [];
  const wrong: string[] = [];
  for (const [key, values] of config) {
    const remote = /^remote\.(.+)\.xmppsync$/s.exec(key)?.[1];
    const mode = values.at(-1) ?? '';
    if (remote === undefined) continue;
    const why = whyNoHub(config, remote, mode);
    if (why !== undefined) wrong.push(`remote.${remote}.xmppSync: ${why}`);
    else if (isHubMode(mode)) hubs.push({ remote, mode });
  }
  return { hubs, wrong };
}

function whyNoHub(config: ReadonlyMap<string, readonly string[]>, remote: string, mode: string): string | undefined {
  const url = config.get(`remote.${remote}.url`)?.[0];
  if (!isHubMode(mode)) return `"${mode.slice(0, 40)}" is none of fetch, push, both`;
  if (!isHubName(remote)) return 'a hub cannot have that name; git remote rename gives it another';
  if (url === undefined) return 'that remote has no URL';
  return url.startsWith('xmpp::') ? 'that remote is a paired device, which is kept in sync anyhow' : undefined;
}

function isHubMode(text: string): text is HubMode {
  return text === 'fetch' || text === 'push' || text === 'both';
}

/** A part of a ref name that no other device has: its name as far as refs allow, and the beginning of its id. */
export function folderOf(name: string, device: DeviceId): string {
  const plain = name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 40);
  return `${plain === '' ? 'device' : plain}-${device.slice(0, 8)}`;
}

/** @throws InputFault */
export function parseHubsState(value: unknown): HubsState {
  const { folder, hubs } = parseRecord(value, 'stored hubs');
  const name = parseText(folder, 'stored hubs: folder');
  if (name !== '') parseRefName(`refs/heads/synced/${name}/x`);
  const entries = Object.entries(parseRecord(hubs, 'stored hubs: hubs')).map(([remote, each]) => {
    const { url, acted } = parseRecord(each, 'stored hubs: hub');
    const sources = Object.entries(parseRecord(acted, 'stored hubs: acted')).map(([source, tips]) => [source, parseTips(tips)] as const);
    return [remote, { url: parseText(url, 'stored hubs: url'), acted: Object.fromEntries(sources) }] as const;
  });
  return { folder: name, hubs: Object.fromEntries(entries) };
}

function parseTips(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(parseRecord(value, 'stored hubs: acted')).map(([ref, oid]) => {
    if (typeof oid !== 'string') throw new InputFault('stored hubs: acted', 'holds something other than object ids');
    return [parseRefName(ref), parseOid(oid)] as const;
  });
  return Object.fromEntries(entries);
}
