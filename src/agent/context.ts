// One shared repository as the agent holds it while it runs. Rule: made in one place, handed to all that work on that repository.

import type { RunGit } from '../lib/git-run.ts';
import type { DeviceId } from '../lib/names.ts';
import type { IsolatedRepo } from '../git/isolated.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { StartGit } from '../git/run.ts';
import type { TreeLimits } from '../git/tree-diff.ts';
import type { Repository } from '../git/repository.ts';
import type { SharedRepo } from '../home/repos.ts';
import type { MapStore } from './maps.ts';
import type { Transfers } from './transfers.ts';

/** A change of files beyond this waits for a person: a push of a kilobyte can hold ten thousand million files. */
export const TREE_LIMITS: TreeLimits = { paths: 200_000, bytes: 4 * 2 ** 30 };

export interface RepoContext {
  /** This device. */
  readonly me: DeviceId;
  readonly repository: Repository;
  readonly maps: MapStore;
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly objects: ObjectReader;
  /** Where merges are made. */
  readonly isolated: IsolatedRepo;
  /** Folder for journals of moves under way. */
  readonly stateDir: string;
  /** What moves is told here. */
  readonly transfers: Transfers;
  /** What is shared and with whom; grants change while it runs. */
  readonly shared: () => SharedRepo;
}

/** Whose tips move branches here: a device, an ordinary remote, or another device by its own tips at a remote (`synced:<remote>/<device>`). */
export type SourceId = DeviceId | `hub:${string}` | `synced:${string}`;

/** Why a branch of a device or hub was not taken over here, in words and as a word. */
export interface Waiting {
  readonly source: SourceId;
  /** Full ref name. */
  readonly ref: string;
  readonly why: string;
  /** What a person reads. */
  readonly words: string;
}
