// What git and git-xmpp may say when they fail in a storm. Rule: words that name what is broken, or what was refused; all else is a failure of ours.

/** Nothing leads to the other device, or to the agent, at the moment. */
const NO_WAY = [
  /^git-xmpp: (?:\S+: )?\[(?:dns|tcp|timeout|server|not-connected|no-network|peer-offline|throttled|conflict|agent)\] /m,
  /\w+ is offline|cannot be reached|knows this link no more|the agent closed the stream before git was done/,
  /is not signed in|still signing in|there is no connection to the XMPP server|this machine has no network/,
  /no way to the other device (?:is open|was found)|git was ended there before it was done/,
  /did not answer|no answer (?:came )?within|was not made in time|not ready in time/,
  /the agent (?:of this machine )?(?:ended|stopped|is stopping|is not running|went away|does not answer|did not come up|was ended)/,
  /the connection (?:to \S+ )?(?:was|is) (?:lost|closed|reset)|ended the connection/,
];
/** The disk, the descriptors or the clock. */
const MACHINE = [
  /^git-xmpp: \[(?:disk-full|too-many-files|tls|not-open)\] /m,
  /[Nn]o space (?:is )?left on (?:the )?device|disk is full|unable to write new index file|file write error|write error|couldn't write '|failed to write new configuration file/,
  /[Rr]ead-only file system|the file system is read-only/,
  /[Tt]oo many open files|too many files are open/,
  /certificate (?:is not yet valid|has expired)|check this machine's clock/,
];
/** Somebody was quicker. */
const RACE = [/\[rejected\]|\[remote rejected\]|non-fast-forward|fetch first|cannot lock ref|failed to update ref|index\.lock|you have unstaged changes/];

export type Verdict = 'no way' | 'machine' | 'race' | 'untrue';

/** What kind of failure some words tell of. */
export function judgeWords(words: string): Verdict {
  if (/internal|TypeError|ReferenceError|^\s+at .*:\d+:\d+\)?$/m.test(words)) return 'untrue';
  if (MACHINE.some((each) => each.test(words))) return 'machine';
  if (NO_WAY.some((each) => each.test(words))) return 'no way';
  return RACE.some((each) => each.test(words)) ? 'race' : 'untrue';
}
