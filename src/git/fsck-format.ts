// What git checks in the objects of others, as its configuration: git-config(1), `fsck.<msg-id>`; git-fsck(1). Rule: one list,
// whatever way the objects come; the repository's own configuration forgives nothing of it.

/** Real history has these faults, so a push must not fail on them (docs/PROTOCOL.md, "The two lanes"). */
const FORGIVEN = [
  'zeroPaddedFilemode',
  'badTimezone',
  'missingSpaceBeforeEmail',
  'badEmail',
  'badDateOverflow',
  'missingSpaceBeforeDate',
  'missingEmail',
] as const;

/** These could write outside the work tree or start something, whatever the user's configuration forgives. */
const NEVER_FORGIVEN = [
  'hasDot',
  'hasDotdot',
  'hasDotgit',
  'fullPathname',
  'emptyName',
  'duplicateEntries',
  'treeNotSorted',
  'gitmodulesMissing',
  'gitmodulesBlob',
  'gitmodulesLarge',
  'gitmodulesName',
  'gitmodulesParse',
  'gitmodulesPath',
  'gitmodulesSymlink',
  'gitmodulesUpdate',
  'gitmodulesUrl',
] as const;

/** `fsckObjects` and its list for `receive` or `fetch`. */
export function fsckConfig(section: 'receive' | 'fetch'): Readonly<Record<string, string>> {
  const lists = [...FORGIVEN.map((id) => [id, 'ignore'] as const), ...NEVER_FORGIVEN.map((id) => [id, 'error'] as const)];
  return {
    [`${section}.fsckObjects`]: 'true',
    [`${section}.fsck.skipList`]: '/dev/null',
    ...Object.fromEntries(lists.map(([id, severity]) => [`${section}.fsck.${id}`, severity])),
  };
}
