// A hub as it is considered: its branches and tags, and each other device's own tips there, are one source of tips each (consider.ts). Rule: what a hub
// lacks deletes nothing here, and what went back there by force is told, never followed; another device's own tips are as that device's map.

import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { SYNCED } from '../sync/hub-machine.ts';
import type { HubRefs } from '../sync/hub-machine.ts';
import type { TipSource } from './consider.ts';
import type { SourceId } from './context.ts';

/** Where the tips that were acted on are remembered. */
export interface ActedStore {
  acted(source: string): Readonly<Record<string, string>>;
  setActed(source: string, tips: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * @param hub.folder what our own tips are called there
 * @param refs everything that the hub holds
 */
export function sourcesOf(hub: { readonly remote: string; readonly folder: string }, refs: HubRefs, store: ActedStore): TipSource[] {
  const { remote, folder } = hub;
  const branches = new Map([...refs].filter(([ref]) => !ref.startsWith(SYNCED)));
  const id: SourceId = `hub:${remote}`;
  const known = store.acted(id);
  // Only whether it was there once counts: a branch that its person deleted here is not made again.
  const acted = Object.fromEntries([...branches].filter(([ref]) => known[ref] !== undefined));
  const own: TipSource = { id, remote, isOwn: true, refs: branches, acted, setActed: (tips) => store.setActed(id, tips) };
  const others = [...byFolder(refs)].filter(([name]) => name !== folder);
  return [own, ...others.map(([name, tips]) => sourceOfDevice(remote, name, { tips, store }))];
}

function sourceOfDevice(remote: string, name: string, { tips, store }: { readonly tips: HubRefs; readonly store: ActedStore }): TipSource {
  const id: SourceId = `synced:${remote}/${name}`;
  const known = store.acted(id);
  const acted = Object.fromEntries(Object.entries(known).filter(([ref]) => tips.has(parseRefName(ref))));
  return { id, remote: `${remote}/synced/${name}`, isOwn: true, refs: tips, acted, setActed: (settled) => store.setActed(id, settled) };
}

/** The tips of each device under the names that the branches have there. */
function byFolder(refs: HubRefs): Map<string, Map<RefName, Oid>> {
  const folders = new Map<string, Map<RefName, Oid>>();
  for (const [ref, oid] of refs) {
    const [, name, branch] = /^refs\/heads\/synced\/([^/]+)\/(.+)$/s.exec(ref) ?? [];
    if (name === undefined || branch === undefined) continue;
    folders.set(name, (folders.get(name) ?? new Map<RefName, Oid>()).set(parseRefName(`refs/heads/${branch}`), oid));
  }
  return folders;
}
