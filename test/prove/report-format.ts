// The report of `npm run prove`: docs/RELIABILITY.md, and docs/reliability.json that it is made from. Rule: only what was run and printed stands in it, each part
// with its date, commit and versions, what failed first.

/** How a part ended, the last time that it ran. */
export interface Outcome {
  readonly name: string;
  /** What it shows when it ends well. */
  readonly shows: string;
  /** As a person types it. */
  readonly command: string;
  /** Exit code. */
  readonly code: number;
  readonly seconds: number;
  /** The last lines that it printed. */
  readonly figures: readonly string[];
  /** `2026-11-25`. */
  readonly date: string;
  /** Such as `5b4e651`, or `5b4e651 with changes`; empty where there is no git. */
  readonly commit: string;
  /** 1 is the whole of it. */
  readonly scale: number;
  /** Such as `Node 20.20.2, git 2.39.5`. */
  readonly versions: string;
}

/** The parts of `steps`, in their order: as they ended now, else as they did before. */
export function merge(names: readonly string[], before: readonly Outcome[], now: readonly Outcome[]): Outcome[] {
  return names.flatMap((name) => now.find((each) => each.name === name) ?? before.find((each) => each.name === name) ?? []);
}

/** The page, in Markdown. @param names of all parts there are */
export function formatReport(names: readonly string[], outcomes: readonly Outcome[]): string {
  return [
    '# Reliability',
    '',
    `Written by \`npm run prove\`, which runs all of it, or by \`npm run prove -- --only "part of a name"\`, which runs that part anew. ${verdictOf(names, outcomes)}`,
    '',
    '| What | Ended | Took | When, at which commit | Scale |',
    '|---|---|---|---|---|',
    ...outcomes.map(formatRow),
    ...outcomes.flatMap(formatOutcome),
    '',
  ].join('\n');
}

function verdictOf(names: readonly string[], outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ code }) => code !== 0);
  const missing = names.filter((name) => !outcomes.some((each) => each.name === name));
  const short = outcomes.filter(({ scale }) => scale < 1);
  return [
    failed.length === 0 ? 'Everything ended right.' : `**${failed.length} of ${outcomes.length} parts failed**: ${failed.map(({ name }) => name).join('; ')}.`,
    ...(missing.length === 0 ? [] : [`**Never run**: ${missing.join('; ')}.`]),
    ...(short.length === 0 ? [] : [`With a scale below 1 a part was shorter than it is meant to be (\`--scale\`), and shows less.`]),
  ].join(' ');
}

function formatRow({ name, code, seconds, date, commit, scale }: Outcome): string {
  return `| ${name} | ${code === 0 ? 'right' : `**failed (${code})**`} | ${formatTime(seconds)} | ${[date, commit].filter((part) => part !== '').join(', ')} | ${scale} |`;
}

function formatOutcome({ name, shows, command, figures, versions }: Outcome): string[] {
  return ['', `## ${capital(name)}`, '', `Shows that ${shows}: \`${command}\`. With ${versions}.`, '', '```', ...figures, '```'];
}

function formatTime(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
