// The home's configuration, in the syntax of git-config(1), read and written by git itself.
// Rule: it is loaded once and answers from memory; a line that git cannot read is an error that names file and line.

import { constants, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asFault, codeOf, Fault, InputFault } from '../lib/errors.ts';
import type { GitResult, RunGit } from '../lib/git-run.ts';
import { shorten } from '../lib/jid.ts';
import { Serial } from '../lib/serial.ts';

const KEY = /^[a-z][a-z0-9-]*\.(?:[^\n\0]+\.)?[a-z][a-z0-9-]*$/i;
const MAX_BYTES = 1 << 20;
const MAX_VALUE = 1 << 16;
/** git-config(1): what there was to unset is not there. */
const NOTHING_TO_UNSET = 5;
/** 3: the file is invalid; 128: git died, by a broken line as by anything else. */
const REFUSED: readonly number[] = [3, 128];

/** Keys and their values; `section` and `name` of `section.sub.name` in any case, as git has it. */
export class Config {
  /** The file, for errors that name it. */
  readonly path: string;
  readonly #runGit: RunGit;
  readonly #serial = new Serial();
  #values = new Map<string, string[]>();

  constructor(path: string, runGit: RunGit) {
    this.path = path;
    this.#runGit = runGit;
  }

  /** Reads the file; one that does not exist is empty. @throws Fault `bad-config` naming file and line */
  load(): Promise<void> {
    return this.#serial.run(() => this.#load());
  }

  /** The last value of `key`; a key without a value is `true`. */
  get(key: string): string | undefined {
    return this.getAll(key).at(-1);
  }

  getAll(key: string): string[] {
    return [...(this.#values.get(normalizeKey(key)) ?? [])];
  }

  /** Makes `value` the only value of `key`. @throws Fault `git`, `bad-config` */
  set(key: string, value: string): Promise<void> {
    const name = normalizeKey(key);
    if (value.includes('\0') || value.length > MAX_VALUE) {
      return Promise.reject(new InputFault(name, `holds a NUL, or more than ${MAX_VALUE} characters`));
    }
    return this.#change(['--replace-all', name, value]);
  }

  unset(key: string): Promise<void> {
    return this.#change(['--unset-all', normalizeKey(key)]);
  }

  #change(args: readonly string[]): Promise<void> {
    return this.#serial.run(async () => {
      // Git makes a new file by the umask, but keeps the mode of one that is there.
      await this.#open('a');
      const { exitCode, stderr } = await this.#git(args, [0, NOTHING_TO_UNSET, ...REFUSED]);
      // Of a broken line, git says which one only when it lists; the old values then stand.
      await this.#load();
      if (REFUSED.includes(exitCode)) throw this.#faultOf(stderr);
    });
  }

  async #load(): Promise<void> {
    const size = await this.#open('r');
    if (size === undefined) {
      this.#values = new Map();
      return;
    }
    if (size > MAX_BYTES) throw new Fault('bad-config', `${this.path} holds more than ${MAX_BYTES} bytes`);
    const { exitCode, stdout, stderr } = await this.#git(['--null', '--no-includes', '--list'], [0, ...REFUSED]);
    if (exitCode !== 0) throw this.#faultOf(stderr);
    this.#values = parseList(stdout);
  }

  /** The file's size, its mode set right; undefined when it does not exist. */
  async #open(to: 'r' | 'a'): Promise<number | undefined> {
    try {
      // Without O_NONBLOCK a named pipe in the file's place would hold us for ever.
      const how = to === 'r' ? constants.O_RDONLY : constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
      const file = await open(this.path, how | constants.O_NONBLOCK, 0o600);
      try {
        const stat = await file.stat();
        if (!stat.isFile()) throw new Fault('bad-config', `${this.path} is no ordinary file`);
        if ((stat.mode & 0o077) !== 0) await file.chmod(0o600);
        return stat.size;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && to === 'r') return undefined;
      throw asFault(error, `opening ${this.path}`);
    }
  }

  #git(args: readonly string[], okCodes: readonly number[]): Promise<GitResult> {
    const dir = dirname(this.path);
    // Whatever repository the home may lie in has no say here.
    const env = { GIT_CEILING_DIRECTORIES: dirname(dir) };
    return this.#runGit(['config', '--file', this.path, ...args], { dir, env, okCodes });
  }

  #faultOf(stderr: string): Fault {
    // The person's own configuration is read on the way, and may be what is broken.
    const [, line, file = this.path] = /bad config line (\d+)(?: in file (.+))?/.exec(stderr) ?? [];
    if (line === undefined) {
      return new Fault('git', `git config could not use ${this.path}: ${shorten(stderr.trim().split('\n').at(-1) ?? '')}`);
    }
    return new Fault('bad-config', `${file}, line ${line} cannot be read as git configuration`, {
      remedy: `correct line ${line} of ${file}, or remove it`,
    });
  }
}

/** A key as git lists it: all but the middle part in lower case. @throws InputFault */
export function normalizeKey(key: string): string {
  if (!KEY.test(key)) throw new InputFault('config key', `"${key.slice(0, 80)}" is not of the form section.name`);
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  return `${key.slice(0, first).toLowerCase()}${key.slice(first, last)}${key.slice(last).toLowerCase()}`;
}

/** `git config --null --list`: entries end in NUL, a line break parts key from value, a key alone is true. */
export function parseList(stdout: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const entry of stdout.split('\0').slice(0, -1)) {
    const cut = entry.indexOf('\n');
    const key = cut < 0 ? entry : entry.slice(0, cut);
    const value = cut < 0 ? 'true' : entry.slice(cut + 1);
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}
