// What git hands to ssh, and ssh to a login shell: ssh(1) options, and `git-upload-pack 'path'` in git's sq_quote (quote.c).
// Rule: pure, and strict where we answer; an argument list that we do not understand is somebody else's.

import { Fault, InputFault } from '../src/lib/errors.ts';
import { shorten } from '../src/lib/jid.ts';
import { parseRepoName } from '../src/lib/names.ts';

export type Service = 'git-upload-pack' | 'git-receive-pack';

export interface ServiceCommand {
  readonly service: Service;
  /** As it was sent, without the quotes. */
  readonly path: string;
}

export interface SshArguments {
  /** Without `user@`. */
  readonly host: string;
  /** The remote command, its words joined as ssh(1) does; undefined for a login. */
  readonly command: string | undefined;
  /** `-G`: git asks whether this is an OpenSSH that takes `-o SendEnv`. */
  readonly isProbe: boolean;
  /** Whether GIT_PROTOCOL is to be sent (`-o SendEnv=GIT_PROTOCOL`). */
  readonly isSendingProtocol: boolean;
}

const FLAGS = '46AaCfGgKkMNnqsTtVvXxYy';
const WITH_VALUE = 'BbcDEeFIiJLlmOoPpQRSWw';
const MAX_COMMAND = 8192;

/** The host and command among ssh(1) arguments; undefined when there is no host or an option that ssh does not have. */
export function parseSshArguments(args: readonly string[]): SshArguments | undefined {
  const before = readOptions(args, 0);
  if (before === undefined) return undefined;
  const destination = args[before.next];
  if (destination === undefined) return undefined;
  const after = readOptions(args, before.next + 1);
  if (after === undefined) return undefined;
  const words = args.slice(after.next);
  const options = [...before.options, ...after.options];
  return {
    host: destination.slice(destination.lastIndexOf('@') + 1),
    command: words.length === 0 ? undefined : words.join(' '),
    isProbe: options.some(({ letter }) => letter === 'G'),
    isSendingProtocol: options.some(({ letter, value }) => letter === 'o' && /^SendEnv[= ]GIT_PROTOCOL$/i.test(value)),
  };
}

/**
 * The service and path of a remote command.
 * @throws Fault `wrong-use` naming a command that is not served, InputFault when its argument is not quoted as git quotes
 */
export function parseServiceCommand(command: string): ServiceCommand {
  if (command.length > MAX_COMMAND) throw new InputFault('command', `is longer than ${MAX_COMMAND} characters`);
  const [, name = '', argument] = /^((?:git )?[^ ]*)(?: +(.*))?$/su.exec(command) ?? [];
  const service = parseService(name.replace(/^git /, 'git-'));
  const path = argument === undefined ? undefined : unquote(argument);
  if (path === undefined || path === '') throw new InputFault(service, 'needs one path, quoted as git quotes it');
  return { service, path };
}

/** @throws Fault `wrong-use` on anything but the two services that are carried */
export function parseService(name: string): Service {
  if (name === 'git-upload-pack' || name === 'git-receive-pack') return name;
  throw new Fault('wrong-use', `"${shorten(name)}" is not served: only git-upload-pack and git-receive-pack are`);
}

/** The repository's name in a path such as `notes`, `/notes` or `/notes.git`. @throws InputFault */
export function parseRepoPath(path: string): string {
  return parseRepoName(path.replace(/^\//, '').replace(/\/$/, '').replace(/\.git$/, ''));
}

/** GIT_PROTOCOL as git sets it: `version=0`, `1` or `2`; undefined for anything else, which is then not passed on. */
export function parseProtocol(text: string | undefined): string | undefined {
  return text !== undefined && /^version=[012]$/.test(text) ? text : undefined;
}

/** `text` as one word of a shell: git's sq_quote_buf, which also escapes "!" for csh. */
export function quote(text: string): string {
  return `'${text.replace(/['!]/g, (mark) => `'\\${mark}'`)}'`;
}

/** The one word that `text` quotes, as git's sq_dequote reads it; undefined when it is anything else. */
export function unquote(text: string): string | undefined {
  if (!/^'[^']*'(?:\\['!]'[^']*')*$/s.test(text)) return undefined;
  return text.slice(1, -1).replace(/'\\(['!])'/g, '$1');
}

interface Option {
  readonly letter: string;
  readonly value: string;
}

/** Options as getopt(3) reads them, from `start` to the first word that is none; undefined on one that ssh does not have. */
function readOptions(args: readonly string[], start: number): { options: Option[]; next: number } | undefined {
  const options: Option[] = [];
  let next = start;
  for (let word = args[next]; word !== undefined && /^-./s.test(word); word = args[next]) {
    next += 1;
    if (word === '--') break;
    const group = readGroup(word.slice(1), args[next]);
    if (group === undefined) return undefined;
    options.push(...group.options);
    if (group.isValueNext) next += 1;
  }
  return { options, next };
}

/** One word of options such as `vp22` or `tt`; `following` is the value when the word ends at an option that takes one. */
function readGroup(letters: string, following: string | undefined): { options: Option[]; isValueNext: boolean } | undefined {
  const options: Option[] = [];
  for (const [index, letter] of letters.split('').entries()) {
    if (WITH_VALUE.includes(letter)) {
      const rest = letters.slice(index + 1);
      const value = rest === '' ? following : rest;
      if (value === undefined) return undefined;
      return { options: [...options, { letter, value }], isValueNext: rest === '' };
    }
    if (!FLAGS.includes(letter)) return undefined;
    options.push({ letter, value: '' });
  }
  return { options, isValueNext: false };
}
