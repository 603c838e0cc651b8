// What git is started with: environment and first arguments (git(1), "Environment Variables").
// Rule: no GIT_* comes in from outside; every process gets the complete list that is made here, and what its caller passes.

/** Configuration for one run (`-c`); a list gives a key several values, in order. */
export type GitConfig = Readonly<Record<string, string | readonly string[]>>;

const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'SSH_AUTH_SOCK',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  // curl(1), ENVIRONMENT: how a hub is reached over HTTP.
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const;

/** English words, no prompt, no pager, no editor; and history as every other clone has it, whatever is replaced or grafted here (git-replace(1)). */
const FIXED = {
  LC_ALL: 'C.UTF-8',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: '',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_PAGER: 'cat',
  GIT_EDITOR: ':',
  GIT_NO_REPLACE_OBJECTS: '1',
  // No file at all: of an empty one git says at every start that grafts are of yesterday.
  GIT_GRAFT_FILE: '/dev/null/none',
};

/** Configuration that keeps a repository's own hooks and housekeeping out of what the agent does. */
export const QUIET_CONFIG: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
};

/** The complete environment of every git process. */
export function cleanEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = PASSED_ON.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...FIXED };
}

/** `-C` and `-c`, then what the caller asks for. */
export function fullArgs(args: readonly string[], options: { readonly dir?: string; readonly config?: GitConfig }): string[] {
  const config = Object.entries(options.config ?? {}).flatMap(([key, value]) =>
    (typeof value === 'string' ? [value] : value).flatMap((one) => ['-c', `${key}=${one}`]),
  );
  return [...(options.dir === undefined ? [] : ['-C', options.dir]), ...config, ...args];
}

/** Where a command runs and which repository it must be about. */
export interface GitPlace {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Options that tie a run to exactly `repository`.
 * With `-C` alone git climbs to a repository further up when this one is gone.
 */
export function inRepository(repository: { readonly path: string; readonly gitDir: string }): GitPlace {
  return { dir: repository.path, env: { GIT_DIR: repository.gitDir } };
}
