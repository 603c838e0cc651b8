import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatReport } from '../../prove/report-format.ts';
import { stepsOf } from '../../prove/steps.ts';

const PACKAGE = path.join(import.meta.dirname, '../../../package.json');

describe('stepsOf', () => {
  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
    for (const { args } of stepsOf(1)) expect(Object.keys(scripts)).toContain(args[0] === 'run' ? args[1] : args[0]);
  });

  it('makes every part shorter by a smaller scale, and none empty', () => {
    const seconds = (scale: number): number[] => stepsOf(scale).map(({ args }) => Number(args[args.indexOf('--seconds') + 1]));
    expect(seconds(0.001).filter((each) => each > 0 && each <= 20)).toHaveLength(4);
    expect(seconds(1).filter((each) => each >= 300)).toHaveLength(4);
  });
});

describe('formatReport', () => {
  const [first, second] = stepsOf(1);
  if (first === undefined || second === undefined) throw new Error('there are steps');
  const facts = { date: '2026-11-25', versions: { Node: '20.20.2', git: '2.39.5' }, scale: 1 };

  it('says that all ended right, with the command, the versions and the figures of each part', () => {
    const report = formatReport({ ...facts, outcomes: [{ step: first, code: 0, seconds: 1500, figures: ['3900 passed, 0 failed'] }] });
    expect(report).toContain('Written by `npm run prove` on 2026-11-25, with Node 20.20.2, git 2.39.5. Everything ended right.');
    expect(report).toContain('| right | 25 min |');
    expect(report).toContain('`XMPP_PROFILES=all XMPP_INTEROP=slixmpp npm test`\n\n```\n3900 passed, 0 failed\n```');
  });

  it('says first what failed, and that a shorter proof is one', () => {
    const outcomes = [
      { step: first, code: 0, seconds: 15, figures: [] },
      { step: second, code: 1, seconds: 20, figures: ['WRONG: it'] },
    ];
    const report = formatReport({ ...facts, scale: 0.1, outcomes });
    expect(report).toContain('`npm run prove -- --scale 0.1`, which is shorter than the whole proof');
    expect(report).toContain(`**1 of 2 parts failed**: ${second.name}.`);
    expect(report).toContain('| **failed (1)** | 20 s |');
  });
});
