import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatReport, merge } from '../../prove/report-format.ts';
import type { Outcome } from '../../prove/report-format.ts';
import { commandOf, stepsOf } from '../../prove/steps.ts';

const PACKAGE = path.join(import.meta.dirname, '../../../package.json');

describe('stepsOf', () => {
  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
    for (const { args } of stepsOf(1)) expect(Object.keys(scripts)).toContain(args[0] === 'run' ? args[1] : args[0]);
  });

  it('makes every part shorter by a smaller scale, and none empty', () => {
    const seconds = (scale: number): number[] => stepsOf(scale).map(({ args }) => Number(args[args.indexOf('--seconds') + 1]));
    expect(seconds(0.001).filter((each) => each > 0 && each <= 60)).toHaveLength(6);
    expect(seconds(1).filter((each) => each >= 300)).toHaveLength(5);
  });
});

describe('the report', () => {
  const part = (name: string, more: Partial<Outcome> = {}): Outcome => ({
    name,
    shows: `${name} holds`,
    command: `npm run ${name}`,
    code: 0,
    seconds: 1500,
    figures: [`${name}: 7`],
    date: '2026-11-25',
    commit: '5b4e651',
    scale: 1,
    versions: 'Node 20.20.2, git 2.39.5',
    ...more,
  });

  it('says that all ended right, and of each part the command, when it ran, with what, and its figures', () => {
    const report = formatReport(['this'], [part('this')]);
    expect(report).toContain('Everything ended right.\n');
    expect(report).toContain('| this | right | 25 min | 2026-11-25, 5b4e651 | 1 |');
    expect(report).toContain('## This\n\nShows that this holds: `npm run this`. With Node 20.20.2, git 2.39.5.\n\n```\nthis: 7\n```');
  });

  it('says first what failed, what was never run, and that a shorter part is one', () => {
    const report = formatReport(['this', 'that', 'other'], [part('this'), part('that', { code: 1, seconds: 20, scale: 0.1, commit: '' })]);
    expect(report).toContain('**1 of 2 parts failed**: that. **Never run**: other. With a scale below 1 a part was shorter');
    expect(report).toContain('| that | **failed (1)** | 20 s | 2026-11-25 | 0.1 |');
  });

  it('has each part as it ended last, in the order of the proof, and none that there is no more', () => {
    const merged = merge(['a', 'b', 'c'], [part('c'), part('b', { code: 1 }), part('old')], [part('b')]);
    expect(merged).toEqual([part('b'), part('c')]);
  });
});

describe('commandOf', () => {
  it('is what a person types', () => {
    const [first] = stepsOf(1);
    expect(first === undefined ? '' : commandOf(first)).toBe('XMPP_PROFILES=all XMPP_INTEROP=slixmpp npm test');
  });
});
