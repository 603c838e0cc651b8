// What a support file is made from and must not hold: settings, and every secret that the home knows (docs/git-xmpp.1, `doctor --bundle`).
// Rule: secrets are read to be left out, kept in memory alone, and told to nobody; what cannot be read is nothing.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAccount } from '../home/account.ts';
import { Config, parseList } from '../home/config.ts';
import { findPassword } from '../home/credentials.ts';
import type { DoctorParts } from './doctor.ts';

/** Shorter texts are no secrets, and would tear holes into every word. */
const SHORTEST = 4;

/** Keys and values of the home's configuration, and of git's own whatever begins with `xmpp.`. */
export async function readSettings({ home, runGit }: DoctorParts): Promise<readonly (readonly [key: string, value: string])[]> {
  const ask = async (args: readonly string[]): Promise<(readonly [string, string])[]> => {
    const { stdout } = await runGit(['config', '--null', ...args], { dir: '/', env: { GIT_CEILING_DIRECTORIES: '/' } });
    return [...parseList(stdout)].flatMap(([key, values]) => values.map((value) => [key, value] as const));
  };
  const [ours, gits] = await Promise.all([['--file', home.config, '--no-includes', '--list'], ['--includes', '--list']].map((args) => ask(args).catch(() => [])));
  return [...(ours ?? []), ...(gits ?? []).filter(([key]) => key.startsWith('xmpp.'))];
}

/** The password, wherever it is kept; the device's keys; open invites. */
export async function readSecrets(parts: DoctorParts): Promise<readonly string[]> {
  const { home } = parts;
  const [password, stored, ...files] = await Promise.all([
    readPassword(parts).catch(() => undefined),
    readFile(home.credentials, 'utf8').catch(() => ''),
    ...[join(home.identity, 'device.json'), join(home.state, 'invites.json')].map(textsIn),
  ]);
  const lines = stored.split('\n').flatMap((line) => passwordsIn(line));
  const found = [...(password === undefined ? [] : [password]), ...lines, ...files.flat()];
  return [...new Set(found.filter((each) => each.length >= SHORTEST))];
}

async function readPassword({ home, runGit }: DoctorParts): Promise<string | undefined> {
  const config = new Config(home.config, runGit);
  await config.load();
  const account = readAccount(config);
  return account === undefined ? undefined : (await findPassword(home, runGit, account.jid))?.password;
}

/** Of a line of git-credential-store(1), `xmpp://name:password@host`: as it stands, and as it is meant. */
function passwordsIn(line: string): string[] {
  const encoded = /^[a-z]+:\/\/[^:@]*:([^@]*)@/.exec(line)?.[1];
  if (encoded === undefined) return line === '' ? [] : [line];
  try {
    return [encoded, decodeURIComponent(encoded)];
  } catch {
    return [encoded];
  }
}

/** Every text in a JSON file that is no name of a field, in whole and by the line. */
async function textsIn(path: string): Promise<string[]> {
  try {
    const found: string[] = [];
    JSON.parse(await readFile(path, 'utf8'), (key: string, value: unknown) => {
      if (typeof value === 'string' && !PUBLIC.has(key)) found.push(value, ...value.split('\n').filter((line) => line.length >= LONG && !line.startsWith('-----')));
      return value;
    });
    return found;
  } catch {
    return [];
  }
}

/** A line of a key in PEM, of which another text must not hold even one. */
const LONG = 16;
const PUBLIC: ReadonlySet<string> = new Set(['name', 'resource', 'certPem', 'petname', 'as', 'jid']);
