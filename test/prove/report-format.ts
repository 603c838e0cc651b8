// The report of `npm run prove`: docs/RELIABILITY.md. Rule: only what was run and printed stands in it, what failed first.

import type { Step } from './steps.ts';

/** How a step ended. */
export interface Outcome {
  readonly step: Step;
  /** Exit code of its command. */
  readonly code: number;
  readonly seconds: number;
  /** The last lines that it printed. */
  readonly figures: readonly string[];
}

export interface ReportFacts {
  /** `2026-11-25`. */
  readonly date: string;
  /** Name and version of everything that took part. */
  readonly versions: Readonly<Record<string, string>>;
  /** 1 is the whole proof. */
  readonly scale: number;
  readonly outcomes: readonly Outcome[];
}

/** The page, in Markdown. */
export function formatReport({ date, versions, scale, outcomes }: ReportFacts): string {
  const failed = outcomes.filter(({ code }) => code !== 0);
  const verdict = failed.length === 0 ? 'Everything ended right.' : `**${failed.length} of ${outcomes.length} parts failed**: ${failed.map(({ step }) => step.name).join('; ')}.`;
  const command = scale === 1 ? '`npm run prove`' : `\`npm run prove -- --scale ${scale}\`, which is shorter than the whole proof`;
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const rows = outcomes.map(({ step, code, seconds }) => `| ${step.name} | ${code === 0 ? 'right' : `**failed (${code})**`} | ${formatTime(seconds)} |`);
  return [
    '# Reliability',
    '',
    `Written by ${command} on ${date}, with ${with_.join(', ')}. ${verdict}`,
    '',
    '| What | Ended | Took |',
    '|---|---|---|',
    ...rows,
    ...outcomes.flatMap(formatOutcome),
    '',
  ].join('\n');
}

function formatOutcome({ step, figures }: Outcome): string[] {
  const env = Object.entries(step.env ?? {}).map(([name, value]) => `${name}=${value} `);
  return ['', `## ${capital(step.name)}`, '', `Shows that ${step.shows}: \`${env.join('')}npm ${step.args.join(' ')}\``, '', '```', ...figures, '```'];
}

function formatTime(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
