// The hubs of one repository: ordinary remotes with `remote.<name>.xmppSync` (docs/git-xmpp.1). Rule: what the configuration says now holds; a remote without
// that setting is never touched, and only a remote that was set up here is ever asked, whatever a peer says.

import { join } from 'node:path';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { refsOfHub } from '../git/hub.ts';
import { hashUrl, pathOfUrl } from '../git/hub-url.ts';
import { inRepository } from '../git/environment.ts';
import type { MountWatch } from '../git/mounts.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import { readGitConfig } from '../git/repository.ts';
import { StateFile } from '../home/state.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import type { TipSource } from './consider.ts';
import type { RepoContext, SourceId } from './context.ts';
import type { Events } from './events.ts';
import { Hub } from './hub.ts';
import type { HubParts } from './hub.ts';
import type { ActedStore } from './hub-sources.ts';
import { folderOf, parseHubsState, readHubSettings } from './hubs-format.ts';
import type { HubSetting, HubsState } from './hubs-format.ts';

export interface HubsParts {
  readonly context: RepoContext;
  readonly events: Pick<Events, 'emit'>;
  readonly exchanges: HubParts['exchanges'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly mounts: Pick<MountWatch, 'onChange'>;
  /** What this device calls itself. */
  readonly deviceName: () => string;
  readonly takeOver: HubParts['takeOver'];
  /** Nothing of that source waits any more. */
  readonly forget: (source: SourceId) => void;
  /** Tells the other devices that the hub of that hash (`hashUrl`) has something new. */
  readonly announce: (hash: string) => void;
}

interface Running {
  readonly hub: Hub;
  readonly hash: string;
  /** What it was made of: another, and it is made anew. */
  readonly made: string;
}

/**
 * Each hub is looked at after a random time from half of this to all of it, in milliseconds: two groups of devices that share a hub and nothing else hear of
 * one another in no other way.
 */
const SLOW_LOOK_MS = 30 * 60_000;

/** Reads what is set, and runs a `Hub` for each. */
export class Hubs {
  readonly #parts: HubsParts;
  readonly #file: StateFile<HubsState>;
  readonly #running = new Map<string, Running>();
  readonly #serial = new Serial();
  readonly #complained = new Set<string>();
  #state: HubsState = { folder: '', hubs: {} };
  /** Unknown until a look at the branches went well: nothing at all would stand for all of them being gone. */
  #ours: RefsOfMap | undefined;
  #stopMounts: (() => void) | undefined;
  #slowLook: Timer | undefined;
  #isStarted = false;
  #isStopped = false;

  constructor(parts: HubsParts) {
    this.#parts = parts;
    const { stateDir, shared } = parts.context;
    this.#file = new StateFile(join(stateDir, `hubs-${shared().id}.json`), parseHubsState, () => ({ folder: '', hubs: {} }));
  }

  get all(): readonly Hub[] {
    return [...this.#running.values()].map(({ hub }) => hub);
  }

  /** Everything that hubs hold, to be considered again. */
  sources(): readonly { readonly source: TipSource; readonly name: string }[] {
    return this.all.flatMap((hub) => hub.sources().map((source) => ({ source, name: hub.remote })));
  }

  /** Begins once the repository was looked at, and could be read. */
  start(): Promise<void> {
    this.#isStarted = true;
    this.#lookSlowly();
    return this.reload();
  }

  stop(): void {
    this.#isStopped = true;
    this.#slowLook?.cancel();
    for (const remote of this.#running.keys()) void this.#drop(remote);
    this.#stopMounts?.();
  }

  /** The configuration may have changed: what is new is fetched, what is gone is let be. */
  reload(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isStopped || !this.#isStarted || this.#ours === undefined) return;
      try {
        await this.#reload();
      } catch (error) {
        this.#complain('hubs-failed', `reading which remotes are hubs: ${asFault(error, 'reading').message}`);
      }
    });
  }

  /** Branches and tags as they are here now. */
  moved(ours: RefsOfMap): void {
    const isFirst = this.#ours === undefined;
    this.#ours = ours;
    if (isFirst) void this.reload();
    for (const hub of this.all) void hub.ours(ours);
  }

  /** Signed in, the network returned, or a person asked: each is fetched once. */
  async contact(): Promise<void> {
    const before = new Set(this.all);
    await this.reload();
    // What has just been made has its contact already.
    await Promise.all(this.all.filter((hub) => before.has(hub)).map((hub) => hub.contact()));
  }

  /** A peer says that the hub of that hash has something new. */
  told(hash: string): void {
    for (const running of this.#running.values()) if (running.hash === hash) running.hub.told();
  }

  #lookSlowly(): void {
    if (this.#isStopped) return;
    const { clock, random } = this.#parts;
    this.#slowLook = clock.setTimer(SLOW_LOOK_MS * (0.5 + random() / 2), () => {
      for (const hub of this.all) hub.told();
      this.#lookSlowly();
    });
  }

  async #reload(): Promise<void> {
    const { runGit, repository } = this.#parts.context;
    const config = await readGitConfig(runGit, repository);
    const { hubs, wrong } = readHubSettings(config);
    for (const words of wrong) this.#complain('bad-setting', words);
    this.#state = await this.#file.read();
    if (hubs.length > 0 && this.#state.folder === '') {
      await this.#save({ ...this.#state, folder: folderOf(this.#parts.deviceName(), this.#parts.context.me) });
    }
    const hasSshCommand = config.has('core.sshcommand');
    for (const remote of this.#running.keys()) if (!hubs.some((each) => each.remote === remote)) await this.#drop(remote);
    await this.#sweep(hubs);
    for (const setting of hubs) await this.#open(setting, hasSshCommand);
    this.#watchMounts();
  }

  async #open({ remote, mode }: HubSetting, hasSshCommand: boolean): Promise<void> {
    const { context, events, exchanges, clock, random, takeOver, announce } = this.#parts;
    const { runGit, repository } = context;
    // With the person's url.<base>.insteadOf, as git itself would go there.
    const { stdout } = await runGit(['ls-remote', '--get-url', '--', remote], inRepository(repository));
    const url = stdout.replace(/\n$/, '');
    const hash = hashUrl(context.shared().id, url);
    const made = [mode, hasSshCommand, url].join(' ');
    if (this.#running.get(remote)?.made === made || this.#isStopped) return;
    await this.#drop(remote);
    // Of another hub under the same name nothing is remembered.
    if (this.#state.hubs[remote]?.url !== hash) await this.#save({ ...this.#state, hubs: { ...this.#state.hubs, [remote]: { url: hash, acted: {} } } });
    const place = { runGit, repository, remote, hasSshCommand };
    const parts = { context, place, mode, folder: this.#state.folder, path: pathOfUrl(url, repository.path), seen: await refsOfHub(place) };
    if (this.#ours === undefined) return;
    const hub = new Hub({ ...parts, store: this.#storeOf(remote), events, exchanges, clock, random, takeOver, onPushed: () => announce(hash) }, this.#ours);
    this.#running.set(remote, { hub, hash, made });
    await hub.contact();
  }

  async #drop(remote: string): Promise<void> {
    const running = this.#running.get(remote);
    this.#running.delete(remote);
    await running?.hub.stop();
    for (const { id } of running?.hub.sources() ?? []) this.#parts.forget(id);
  }

  /** What was fetched from a remote that is no hub any more would keep its objects for ever. */
  async #sweep(hubs: readonly HubSetting[]): Promise<void> {
    const gone = Object.keys(this.#state.hubs).filter((remote) => !hubs.some((each) => each.remote === remote));
    if (gone.length === 0) return;
    const { runGit, repository } = this.#parts.context;
    for (const remote of gone) {
      const refs = await listRefs(runGit, repository, [`refs/xmpp/hubs/${remote}/`]);
      await updateRefs(runGit, repository, [...refs].map(([ref, from]) => ({ ref, from, to: undefined })), { message: 'xmpp: hub' });
    }
    await this.#save({ ...this.#state, hubs: Object.fromEntries(Object.entries(this.#state.hubs).filter(([remote]) => !gone.includes(remote))) });
  }

  #storeOf(remote: string): ActedStore {
    return {
      acted: (source) => this.#state.hubs[remote]?.acted[source] ?? {},
      setActed: async (source, tips) => {
        const entry = this.#state.hubs[remote];
        if (entry === undefined || JSON.stringify(entry.acted[source] ?? {}) === JSON.stringify(tips)) return;
        await this.#save({ ...this.#state, hubs: { ...this.#state.hubs, [remote]: { ...entry, acted: { ...entry.acted, [source]: tips } } } });
      },
    };
  }

  /** It holds while the agent runs, whether or not the disk takes it. */
  #save(state: HubsState): Promise<void> {
    this.#state = state;
    return this.#file.write(state);
  }

  #watchMounts(): void {
    const hasPath = this.all.some((hub) => hub.parts.path !== undefined);
    if (hasPath) this.#stopMounts ??= this.#parts.mounts.onChange(() => void Promise.all(this.all.map((hub) => hub.look())));
    else this.#stopMounts?.();
    if (!hasPath) this.#stopMounts = undefined;
  }

  /** Each is said once. */
  #complain(type: string, words: string): void {
    if (this.#complained.has(words)) return;
    this.#complained.add(words);
    this.#parts.events.emit({ type, words, repo: this.#parts.context.shared().name });
  }
}
