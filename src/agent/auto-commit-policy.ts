// What a person has set about commits by themselves, in a repository's configuration (docs/git-xmpp.1, "CONFIGURATION").
// Rule: each value is parsed strictly; one that is none of its kind is told, and its default holds.

import { parseDuration } from '../lib/duration-format.ts';
import { InputFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import { parseBytes } from './quota.ts';
import { settingReader } from './setting-reader.ts';
import type { ConfigValues } from './setting-reader.ts';

export interface AutoCommitPolicy {
  readonly isOn: boolean;
  /** For how long a file must have been left alone, in ms. */
  readonly delayMs: number;
  /** Larger files are left out. */
  readonly maxBytes: number;
  readonly message: string;
  /** What keeps git from making a commit in this person's name, with the commands that mend it. */
  readonly nobody: string | undefined;
}

const DELAY = { min: 50, max: 86_400_000 };
const DEFAULT_DELAY_MS = 300;
const DEFAULT_MAX_BYTES = 100 * 2 ** 20;
const MAX_MESSAGE = 10_000;

/**
 * Reads `xmpp.autoCommit`, `xmpp.autoCommitDelay`, `xmpp.autoCommitMaxSize`, `xmpp.autoCommitMessage`, and who commits.
 * @param options.device what this device is called
 * @param options.onProblem told of each value that cannot be used
 */
export function readAutoCommit(config: ConfigValues, options: { readonly device: string; readonly onProblem: (fault: Fault) => void }): AutoCommitPolicy {
  const read = settingReader(config, options.onProblem);
  return {
    // While a clone still has to check out, every file would pass for deleted.
    isOn: read('xmpp.autoCommit', parseSwitch, false) && !config.has('xmpp.cloning'),
    delayMs: read('xmpp.autoCommitDelay', parseDelay, DEFAULT_DELAY_MS),
    maxBytes: read('xmpp.autoCommitMaxSize', parseMaxSize, DEFAULT_MAX_BYTES),
    message: read('xmpp.autoCommitMessage', parseMessage, `changes on ${options.device}`),
    nobody: whyNobody(config),
  };
}

/** git's words for true and false (git-config(1)). */
function parseSwitch(text: string): boolean {
  const word = text.toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0', ''].includes(word)) return false;
  throw new InputFault('xmpp.autoCommit', `"${text.slice(0, 40)}" is neither true nor false`);
}

function parseDelay(text: string): number {
  const [, digits] = /^(0|[1-9]\d{0,8})ms$/.exec(text) ?? [];
  if (digits === undefined) return parseDuration('xmpp.autoCommitDelay', text, { ...DELAY, min: 1_000 });
  const ms = Number(digits);
  if (ms < DELAY.min || ms > DELAY.max) throw new InputFault('xmpp.autoCommitDelay', `is not between ${DELAY.min}ms and 1d`);
  return ms;
}

function parseMaxSize(text: string): number {
  try {
    return parseBytes(text);
  } catch {
    throw new InputFault('xmpp.autoCommitMaxSize', `"${text.slice(0, 40)}" is no number of bytes, such as 100m`);
  }
}

function parseMessage(text: string): string {
  if (text.trim() === '' || text.length > MAX_MESSAGE) throw new InputFault('xmpp.autoCommitMessage', `is empty, or longer than ${MAX_MESSAGE} characters`);
  return text.trim();
}

/** git would make up a name and an address of its own from the machine's. */
function whyNobody(config: ConfigValues): string | undefined {
  const isSet = (what: string): boolean => ['user', 'author', 'committer'].some((who) => (config.get(`${who}.${what}`)?.at(-1) ?? '') !== '');
  const missing = [...(isSet('name') ? [] : ['user.name "Your Name"']), ...(isSet('email') ? [] : ['user.email you@example.org'])];
  if (missing.length === 0) return undefined;
  return `git does not know in whose name to commit: ${missing.map((each) => `git config --global ${each}`).join(' and ')}`;
}
