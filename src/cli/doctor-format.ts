// The doctor's lines as they are printed. Rule: one line for each link of the chain, and its remedy under it; nothing is coloured, so a copy of it reads the same.

import type { Check, DoctorReport } from '../agent/doctor-format.ts';
import { isWell } from '../agent/doctor-format.ts';
import { clean } from '../lib/steering.ts';

const STATES: Readonly<Record<Check['state'], string>> = { ok: 'ok', warn: 'warning', broken: 'BROKEN', 'not-tried': '-' };
/** The longest of each, and two spaces. */
const STATE_WIDTH = 9;
const ID_WIDTH = 19;

/** `BROKEN   dns                …`, then what to do. */
export function formatCheck({ state, id, words, remedy }: Check): readonly string[] {
  const line = `${STATES[state].padEnd(STATE_WIDTH)}${id.padEnd(ID_WIDTH)}${clean(words)}`;
  if (remedy === undefined || state === 'ok') return [line];
  return [line, ...remedy.split('\n').map((each) => `${' '.repeat(STATE_WIDTH + ID_WIDTH)}${clean(each)}`)];
}

/** What all of it comes to. */
export function formatVerdict(checks: readonly Check[]): string {
  const count = (state: Check['state']): number => checks.filter((check) => check.state === state).length;
  const [bad, warned] = [count('broken'), count('warn')];
  const warnings = warned === 0 ? '' : `, ${warned} ${warned === 1 ? 'warning' : 'warnings'}`;
  if (bad === 0) return `nothing is broken${warnings}`;
  const first = checks.find(({ state }) => state === 'broken');
  return `${bad} ${bad === 1 ? 'link of the chain is' : 'links of the chain are'} broken, the first is "${first?.id ?? ''}"${warnings}`;
}

export function makeReport(checks: readonly Check[], at: number): DoctorReport {
  return { version: 1, at, isWell: isWell(checks), checks };
}
