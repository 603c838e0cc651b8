// The account's password, kept by git-credential(1); else by git-credential-store(1) in a file of the home.
// Rule: it passes through standard input only, nobody is ever prompted, and what was saved is what comes back.

import { dirname } from 'node:path';
import { InputFault } from '../lib/errors.ts';
import type { GitRunOptions, RunGit } from '../lib/git-run.ts';
import { domainOf, localOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Home } from './paths.ts';
import { readPrivateFile } from './private-file.ts';

/** A helper may have to wake a key ring. */
const DEADLINE_MS = 30_000;
const NO_PROMPT = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '' };
/** git-config(1): no such key. */
const NO_SUCH_KEY = 1;
/** git-credential(1) dies when no helper knows and it may not ask. */
const DIED = 128;

/**
 * Keeps the password where it outlives the session.
 * @returns `file` when no helper does (Debian has none, and `approve` then says nothing), or only `cache`, which forgets
 * @throws InputFault when it is empty or holds a line break, which no helper can keep
 */
export async function savePassword(
  home: Home,
  runGit: RunGit,
  { jid, password }: { readonly jid: BareJid; readonly password: string },
): Promise<'helper' | 'file'> {
  if (password === '' || /[\0\r\n]/.test(password)) throw new InputFault('password', 'is empty, or holds a line break');
  const input = `${describe(jid)}password=${password}\n\n`;
  if (await hasLastingHelper(home, runGit, jid)) {
    await runGit(['credential', 'approve'], { ...runOptions(home), input });
    if ((await askHelpers(home, runGit, jid)) === password) {
      // The file is asked first, so it may not hold an older one.
      await eraseFromFile(home, runGit, jid);
      return 'helper';
    }
  }
  await runGit(storeArgs(home, 'store'), { ...runOptions(home), input });
  await readPrivateFile(home.credentials);
  return 'file';
}

/** The password, or undefined when nobody has it. */
export async function loadPassword(home: Home, runGit: RunGit, jid: BareJid): Promise<string | undefined> {
  return (await findPassword(home, runGit, jid))?.password;
}

/** The password, and who keeps it; undefined when nobody has it. */
export async function findPassword(home: Home, runGit: RunGit, jid: BareJid): Promise<{ readonly password: string; readonly keptBy: 'helper' | 'file' } | undefined> {
  const inFile = await askFile(home, runGit, jid);
  if (inFile !== undefined) return { password: inFile, keptBy: 'file' };
  const password = await askHelpers(home, runGit, jid);
  return password === undefined ? undefined : { password, keptBy: 'helper' };
}

/** Forgets the password everywhere: for `logout`, and when the server itself said `not-authorized`, for no other failure. */
export async function rejectPassword(home: Home, runGit: RunGit, jid: BareJid): Promise<void> {
  await eraseFromFile(home, runGit, jid);
  await runGit(['credential', 'reject'], { ...runOptions(home), input: `${describe(jid)}\n` });
}

async function askHelpers(home: Home, runGit: RunGit, jid: BareJid): Promise<string | undefined> {
  const options = { ...runOptions(home), input: `${describe(jid)}\n`, okCodes: [0, DIED] };
  const { exitCode, stdout } = await runGit(['credential', 'fill'], options);
  return exitCode === 0 ? parsePassword(stdout) : undefined;
}

async function askFile(home: Home, runGit: RunGit, jid: BareJid): Promise<string | undefined> {
  if ((await readPrivateFile(home.credentials)) === undefined) return undefined;
  const { stdout } = await runGit(storeArgs(home, 'get'), { ...runOptions(home), input: `${describe(jid)}\n` });
  return parsePassword(stdout);
}

async function eraseFromFile(home: Home, runGit: RunGit, jid: BareJid): Promise<void> {
  if ((await readPrivateFile(home.credentials)) === undefined) return;
  await runGit(storeArgs(home, 'erase'), { ...runOptions(home), input: `${describe(jid)}\n` });
}

/** Whether a helper that git would ask for this account keeps more than `git-credential-cache` does. */
async function hasLastingHelper(home: Home, runGit: RunGit, jid: BareJid): Promise<boolean> {
  const { stdout } = await runGit(['config', '--null', '--get-regexp', String.raw`^credential\.(.*\.)?helper$`], {
    ...runOptions(home),
    okCodes: [0, NO_SUCH_KEY],
  });
  const helpers: string[] = [];
  for (const entry of stdout.split('\0').slice(0, -1)) {
    const [key = '', helper = ''] = entry.split('\n');
    if (!mayConcern(key, jid)) continue;
    // An empty value takes back all that stood before it (gitcredentials(7)).
    if (helper === '') helpers.length = 0;
    else helpers.push(helper);
  }
  return helpers.some((helper) => !/^(?:\S*git-credential-)?cache(?:\s|$)/.test(helper));
}

/** A key is `credential.helper` or `credential.<url>.helper`; of the latter only ours count. */
function mayConcern(key: string, jid: BareJid): boolean {
  const pattern = key.slice('credential.'.length, -'helper'.length).replace(/\.$/, '');
  return pattern === '' || pattern.startsWith('xmpp://') || pattern === domainOf(jid);
}

function storeArgs(home: Home, action: 'get' | 'store' | 'erase'): readonly string[] {
  return ['credential-store', `--file=${home.credentials}`, action];
}

/** Run in the home, so that the configuration of whatever repository we are called from has no say. */
function runOptions(home: Home): GitRunOptions {
  const env = { ...NO_PROMPT, GIT_CEILING_DIRECTORIES: dirname(home.dir) };
  return { dir: home.dir, env, deadlineMs: DEADLINE_MS, maxBytes: 65_536 };
}

function describe(jid: BareJid): string {
  return `protocol=xmpp\nhost=${domainOf(jid)}\nusername=${localOf(jid)}\n`;
}

function parsePassword(stdout: string): string | undefined {
  const line = stdout.split('\n').find((each) => each.startsWith('password='));
  return line?.slice('password='.length);
}
