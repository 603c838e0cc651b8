// What git says of a hub, read: a push's porcelain (git-push(1), OUTPUT), a list of refs (git-ls-remote(1)), and why it could not be used. Rule: a line in no
// known form says nothing; an error names the hub and what mends it.

import { Fault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import { redact } from '../lib/log.ts';
import { isRefName, parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { clean } from '../lib/steering.ts';
import type { HubTrouble, PushResult } from '../sync/hub-facts.ts';

/** Whether a remote's name can be a hub's: git takes it for no option, and refs can be called after it. */
export function isHubName(name: string): boolean {
  return !name.startsWith('-') && !name.includes('=') && isRefName(`refs/xmpp/hubs/${name}/heads/x`);
}

/** Why git says that a ref was not taken, where somebody else was faster. */
const STALE = /non-fast-forward|fetch first|stale info|already exists|failed to update ref|cannot lock ref|incorrect old value|failed to lock|reference already exists/;
const MAX_WORDS = 200;

/**
 * The result for each ref of `git push --porcelain`: lines `<flag> TAB <from>:<to> TAB <summary> (<reason>)`.
 * @param stderr what the hub's own words are taken from
 */
export function parsePushed(stdout: string, stderr: string): Map<RefName, PushResult> {
  const results = new Map<RefName, PushResult>();
  for (const line of stdout.split('\n')) {
    const [, flag, to, summary] = /^([ +*=!-])\t[^\t]*:([^\t:]+)\t(.*)$/.exec(line) ?? [];
    if (to === undefined || summary === undefined || !isRefName(to) || !to.startsWith('refs/')) continue;
    results.set(parseRefName(to), flag === '!' ? resultOf(summary, stderr) : 'done');
  }
  return results;
}

function resultOf(summary: string, stderr: string): PushResult {
  if (STALE.test(summary)) return 'stale';
  const [, reason] = /\((.*)\)$/.exec(summary) ?? [];
  return { declined: shortWords([reason ?? summary, ...remoteWords(stderr)].join(': ')) };
}

/** What the hub itself printed, without empty lines. */
function remoteWords(stderr: string): string[] {
  const lines = stderr.split('\n').flatMap((line) => /^remote: (.*?)\s*$/.exec(line)?.[1] ?? []);
  return lines.filter((line) => line !== '' && !line.startsWith('error: hook declined')).slice(0, 2);
}

/** Lines `<oid> TAB <ref>`: branches and tags. */
export function parseListing(stdout: string): Map<RefName, Oid> {
  const lines = stdout.split('\n').flatMap((line) => {
    const [, oid, ref] = /^([0-9a-f]{40,64})\t(refs\/(?:heads|tags)\/.+)$/.exec(line) ?? [];
    return oid === undefined || ref === undefined || !isRefName(ref) ? [] : [[parseRefName(ref), parseOid(oid)] as const];
  });
  return new Map(lines);
}

interface Kind {
  readonly pattern: RegExp;
  readonly code: FaultCode;
  readonly kind: HubTrouble['kind'];
  readonly says: string;
  readonly remedy: (remote: string) => string;
}

const byHand = (remote: string): string => `run "git fetch ${remote}" once`;

/** The first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    pattern: /host key verification failed|remote host identification has changed/i,
    code: 'permissions',
    kind: 'person',
    says: 'its host key is not known, or another than before',
    remedy: (remote) => `${byHand(remote)}, and compare the key`,
  },
  {
    pattern: /could not read (?:username|password)|terminal prompts disabled|authentication failed|permission denied \(|invalid credentials|error: 40[13]\b/i,
    code: 'wrong-password',
    kind: 'person',
    says: 'it wants a password or key that git does not find by itself',
    remedy: (remote) => `let a credential helper or ssh-agent keep it: ${byHand(remote)}`,
  },
  {
    pattern: /dubious ownership/i,
    code: 'permissions',
    kind: 'person',
    says: 'it belongs to another user of this machine',
    remedy: () => 'git config --global --add safe.directory <its path>',
  },
  {
    pattern: /no space left|out of diskspace|quota exceeded/i,
    code: 'disk-full',
    kind: 'passing',
    says: 'no space is left, there or here',
    remedy: () => 'free some; it is tried again by itself',
  },
  {
    pattern: /could not resolve|connection (?:refused|timed out|reset|closed)|operation timed out|network is unreachable|no route to host|failed to connect|couldn't connect/i,
    code: 'tcp',
    kind: 'passing',
    says: 'it cannot be reached',
    remedy: () => 'it is tried again by itself, and at once when the network returns',
  },
  {
    pattern: /does not appear to be a git repository|repository .*not found|not a git repository/i,
    code: 'no-such-repo',
    kind: 'person',
    says: 'there is no such repository',
    remedy: (remote) => `make it, or correct the address: git remote set-url ${remote} <url>`,
  },
];

/** An error of git as a fault that names the hub, and says what mends it. */
export function hubFault(remote: string, error: { readonly code?: FaultCode; readonly words: string }): Fault & { readonly kind: HubTrouble['kind'] } {
  const found = KINDS.find(({ pattern }) => pattern.test(error.words));
  const words = shortWords(error.words);
  if (found === undefined) return new HubFault(error.code ?? 'git', 'passing', `${remote}: ${words}`, 'it is tried again by itself');
  return new HubFault(found.code, found.kind, `${remote}: ${found.says} (${words})`, found.remedy(remote));
}

/** A fault of a hub, and whether a person is needed. */
class HubFault extends Fault {
  readonly kind: HubTrouble['kind'];

  constructor(code: FaultCode, kind: HubTrouble['kind'], message: string, remedy: string) {
    super(code, message, { remedy });
    this.kind = kind;
  }
}

function shortWords(text: string): string {
  const line = clean(redact(text)).trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}
