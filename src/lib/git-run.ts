// The shape of the one function that runs git. Rule: adapters on one rung do not import each other, so they are handed this.

export interface GitRunOptions {
  /** Repository or folder to run in (`-C`). */
  readonly dir?: string;
  /** Configuration for this run alone (`-c`), stronger than the user's. */
  readonly config?: Readonly<Record<string, string>>;
  /** Added to the complete, cleaned environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Killed after this; default 60 000 ms. */
  readonly deadlineMs?: number;
  /** Output beyond this fails the run; default 64 MiB. */
  readonly maxBytes?: number;
  /** Exit codes that are an answer and no failure; default only 0. */
  readonly okCodes?: readonly number[];
  /** In a session of its own: nothing it starts (ssh, a credential helper) finds a terminal to ask on. It ends at the deadline, or when this is aborted. */
  readonly session?: AbortSignal;
}

export interface GitResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs git to its end. @throws Fault `git` with git's own last words, `timeout`, or `disk-full` */
export type RunGit = (args: readonly string[], options?: GitRunOptions) => Promise<GitResult>;
