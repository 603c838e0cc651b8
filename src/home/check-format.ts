// What the system says of itself, read from its own texts (proc(5), inotify(7), git-version(1)).
// Rule: what cannot be read is undefined, never a guess.

/** `git version 2.39.5 (Apple Git-154)` as numbers; undefined when it is none. */
export function parseGitVersion(text: string): readonly [number, number, number] | undefined {
  const [, major, minor, patch = '0'] = /^git version (\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** Whether version `have` is `want` or newer. */
export function isAtLeast(have: readonly number[], want: readonly number[]): boolean {
  for (const [at, part] of want.entries()) {
    const own = have[at] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

/** Watches that one inotify descriptor holds, by its `fdinfo`: a line `inotify wd:…` each; 0 for any other descriptor. */
export function countWatches(fdinfo: string): number {
  return fdinfo.split('\n').filter((line) => line.startsWith('inotify ')).length;
}

/** One number of a file below /proc/sys. */
export function parseLimit(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** `0700` */
export function formatMode(mode: number): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}
