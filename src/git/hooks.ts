// The two hooks of people's lane (githooks(5)), and the folder that tells `.have` lines. Written by the agent itself, for git
// passes over a hook that is not executable, and would then move a checked-out branch in its own, unsafe way.
// Rule: no hook of the repository ever runs; these are sh, for a Node process costs 55 ms.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Tags are only ever made; a branch under rebase or bisect does not move. Arguments: ref, old value, new value. */
const UPDATE = `#!/bin/sh
case "$1" in
refs/tags/*)
  case "$2" in *[!0]*) echo "$1 exists: a tag is not moved from another device" >&2; exit 1 ;; esac ;;
esac
may() {
  while IFS= read -r glob; do
    case "$2" in refs/heads/$glob) return 0 ;; esac
  done <<END
$1
END
  return 1
}
case "$1" in
refs/heads/*)
  for globs in "$GIT_XMPP_BRANCHES0" "$GIT_XMPP_BRANCHES1"; do
    if [ -n "$globs" ] && ! may "$globs" "$1"; then echo "\${1#refs/heads/} is not among the branches that this device may push to" >&2; exit 1; fi
  done ;;
esac
common=$(git rev-parse --git-common-dir) || exit 1
short=\${1#refs/heads/}
for dir in "$common" "$common"/worktrees/*; do
  for file in rebase-merge/head-name rebase-apply/head-name rebase-merge/update-refs; do
    if [ -f "$dir/$file" ] && grep -Fqx -e "$1" "$dir/$file"; then echo "a rebase of $short is under way" >&2; exit 1; fi
  done
  if [ -f "$dir/BISECT_START" ] && grep -Fqx -e "$short" "$dir/BISECT_START"; then
    echo "a bisect of $short is under way" >&2; exit 1
  fi
done
exit 0
`;

/**
 * Writes `update` and `push-to-checkout` to `dir`.
 * @param options.ask command whose last arguments are git directory, work tree and new commit; it exits 0 once files and index
 * are the new commit's
 */
export async function prepareHooks(dir: string, options: { readonly ask: readonly string[] }): Promise<void> {
  const ask = options.ask.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const pushToCheckout = `#!/bin/sh\nexec ${ask} "$(cd "$GIT_DIR" && pwd -P)" "$(pwd -P)" "$1"\n`;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeHook(join(dir, 'update'), UPDATE);
  await writeHook(join(dir, 'push-to-checkout'), pushToCheckout);
}

async function writeHook(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o700 });
  await chmod(path, 0o700);
}

/** Makes the empty alternate that `serveReceiveOffer` needs for `haves`. */
export async function prepareHavesDir(dir: string): Promise<void> {
  await mkdir(join(dir, 'objects'), { recursive: true, mode: 0o700 });
  await mkdir(join(dir, 'refs'), { recursive: true, mode: 0o700 });
}
