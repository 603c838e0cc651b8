// The one catalogue of what can go wrong: its code, what it means, what to do, and the exit code of a command that fails by it (docs/ERRORS.md).
// Rule: a code never changes its meaning; what is thrown says more, and what it has no remedy for, the catalogue has.

export interface CatalogueEntry {
  /** A sentence that holds for every case. */
  readonly says: string;
  /** What to do about it where the fault itself does not say it better. */
  readonly remedy: string;
  /** 2: nothing was tried; 3: another agent is at work; else 1. */
  readonly exitCode: 1 | 2 | 3;
}

/** `words` between backquotes are typed as they are. */
export const FAULT_CATALOGUE = {
  'wrong-use': {
    says: 'The command, or a word or option of it, is not one that there is.',
    remedy: '`git xmpp help` lists the commands, `git xmpp help <command>` says how one is used',
    exitCode: 2,
  },
  'no-account': {
    says: 'This device is signed in to no account, and there is no terminal to ask on.',
    remedy: '`git xmpp login you@example.org`',
    exitCode: 2,
  },
  'bad-input': {
    says: 'A value that was typed, received or read has a form that cannot be used.',
    remedy: 'correct what the message names; nothing was changed',
    exitCode: 1,
  },
  'bad-config': {
    says: 'A file or a setting of the home, or of git, cannot be used as it is.',
    remedy: 'correct the file or the key that the message names',
    exitCode: 1,
  },
  dns: {
    says: 'The name of the server could not be looked up.',
    remedy: 'check the spelling and the network, or name the server with `git xmpp login --server host:port`',
    exitCode: 1,
  },
  tcp: {
    says: 'A connection could not be made, or was lost.',
    remedy: 'check the network and any firewall; the agent tries again by itself',
    exitCode: 1,
  },
  tls: {
    says: 'The encryption to the server, or to the other device, could not be trusted or made.',
    remedy: "check the server's name and this machine's clock; a private authority is named with `git xmpp login --ca file`",
    exitCode: 1,
  },
  'no-encryption': {
    says: 'The server offers no encryption, or somebody in between hides it; nothing was sent.',
    remedy: "try another network, and ask the server's operator",
    exitCode: 1,
  },
  'no-mechanism': {
    says: 'The server offers no way to sign in that keeps the password from whoever answers.',
    remedy: 'use an account on a server that offers SCRAM, or ask its operator',
    exitCode: 1,
  },
  'wrong-password': {
    says: 'The server did not accept the password.',
    remedy: '`git xmpp login`, and type it again',
    exitCode: 1,
  },
  conflict: {
    says: 'Another program is signed in to the account under the same resource.',
    remedy: 'run one agent per home, and do not copy a home to another machine',
    exitCode: 1,
  },
  throttled: {
    says: 'The server, or the other device, takes no more for now.',
    remedy: 'wait: it is tried again by itself, or try again later',
    exitCode: 1,
  },
  server: {
    says: 'The server, or what it passed on, refused or could not be used.',
    remedy: "ask the server's operator, or use an account on another server",
    exitCode: 1,
  },
  timeout: {
    says: 'There was no answer in time.',
    remedy: 'try again; `git xmpp status` says what is reachable',
    exitCode: 1,
  },
  'not-connected': {
    says: 'The agent is not signed in at the moment.',
    remedy: '`git xmpp account` says why; it tries again by itself',
    exitCode: 1,
  },
  'no-network': {
    says: 'This machine has no network at the moment.',
    remedy: 'connect it to a network; the agent notices that by itself',
    exitCode: 1,
  },
  paused: {
    says: 'What was asked for is paused, here or on the other device.',
    remedy: '`git xmpp resume`, on the device that is paused',
    exitCode: 1,
  },
  'too-large': {
    says: 'Something is larger than what is taken in one piece.',
    remedy: 'make it smaller or fewer; the message names the limit',
    exitCode: 1,
  },
  'no-such-peer': {
    says: 'No paired device has that name.',
    remedy: '`git xmpp peers` lists them',
    exitCode: 1,
  },
  'no-such-repo': {
    says: 'No repository of that name or place is shared, or shown to this device.',
    remedy: '`git xmpp repos`, or `git xmpp repos <peer>`, lists them',
    exitCode: 1,
  },
  'not-paired': {
    says: 'The two devices are not paired, or not any more.',
    remedy: '`git xmpp pair` on one of them, and what it shows on the other',
    exitCode: 1,
  },
  'peer-offline': {
    says: 'The other device cannot be reached.',
    remedy: 'start it, or wait: what is committed is sent when it returns',
    exitCode: 1,
  },
  'newer-protocol': {
    says: 'One of the two devices speaks a newer version of the protocol.',
    remedy: 'update git-xmpp on the one with the older version',
    exitCode: 1,
  },
  'bad-code': {
    says: 'Pairing failed: the code is not the one that is shown, or the answer does not fit it.',
    remedy: '`git xmpp pair` again on the device that showed it, and type the new code',
    exitCode: 1,
  },
  'code-spent': {
    says: 'The code was used, or tried wrongly, before; each works once.',
    remedy: '`git xmpp pair` again on the device that showed it',
    exitCode: 1,
  },
  'not-a-repository': {
    says: 'There is no git repository at that place, or another one than before.',
    remedy: 'go to the repository, or name it: `git xmpp share <path>`',
    exitCode: 1,
  },
  'refused-repository': {
    says: 'The repository is of a kind, or in a state, that cannot be kept in sync.',
    remedy: 'do what the message names, then share it again',
    exitCode: 1,
  },
  'not-open': {
    says: 'The repository is shared and cannot be opened at the moment, here or on the other device.',
    remedy: '`git xmpp status`, on that device, says why; it is tried again by itself',
    exitCode: 1,
  },
  'not-granted': {
    says: 'The other device does not allow that to this one.',
    remedy: 'there: `git xmpp grant <peer> <repo> read|offer|write`',
    exitCode: 1,
  },
  exists: {
    says: 'What was to be made is there already.',
    remedy: 'choose another name or folder, or remove the one that is in the way',
    exitCode: 1,
  },
  git: {
    says: 'A git command failed.',
    remedy: "git's own words are above or in the message; mend that, then run the same command again",
    exitCode: 1,
  },
  'disk-full': {
    says: 'No space is left on a disk.',
    remedy: 'free some space, then try again; nothing was half done',
    exitCode: 1,
  },
  permissions: {
    says: 'A file or folder may not be read or written.',
    remedy: 'make it yours, with rights to write for you alone: files 0600, folders 0700',
    exitCode: 1,
  },
  'too-many-files': {
    says: 'No more files or connections may be opened, by this process or on this machine.',
    remedy: 'raise the limit (`ulimit -n`, `LimitNOFILE=` of a service) and start the agent again, or end what holds so many; the agent goes on by itself once it may',
    exitCode: 1,
  },
  'already-running': {
    says: 'Another agent runs on this home.',
    remedy: '`git xmpp daemon status`; to end it: `git xmpp daemon stop`',
    exitCode: 3,
  },
  agent: {
    says: 'The agent of this machine, or the one on the other device, is not there or failed.',
    remedy: '`git xmpp daemon stop`, then try again; its log, `agent.log` in the home, says more',
    exitCode: 1,
  },
  service: {
    says: 'The service that keeps the agent running is not installed, does not run as it should, or cannot be had here.',
    remedy: '`git xmpp service status`; without a service, commands start the agent as they need it',
    exitCode: 1,
  },
  internal: {
    says: 'A mistake in git-xmpp itself.',
    remedy: 'try again; if it stays, report it with the last lines of `agent.log` in the home',
    exitCode: 1,
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

/** Stable names of what can go wrong; scripts and specs match on these, people read the message. */
export type FaultCode = keyof typeof FAULT_CATALOGUE;

/** Whether a word is one of the codes. */
export function isFaultCode(code: unknown): code is FaultCode {
  return typeof code === 'string' && Object.hasOwn(FAULT_CATALOGUE, code);
}

/** What the catalogue says of a code. */
export function entryOf(code: FaultCode): CatalogueEntry {
  return FAULT_CATALOGUE[code];
}
