// What `npm run scale` is asked, and how its figures are shown. Rule: nothing is measured here.

import { describe, expect, it } from 'vitest';
import { parseArguments, USAGE } from '../../scale/arguments.ts';
import type { StepName } from '../../scale/arguments.ts';
import { drawPlot, formatNumber, formatTable, percentile, ratio } from '../../scale/figures-format.ts';
import type { Figures } from '../../scale/figures-format.ts';
import { plotsOf, summarise } from '../../scale/summary-format.ts';

describe('what npm run scale is asked', () => {
  it('is every step unless some are named, in the order of the list', () => {
    expect(parseArguments([]).steps).toEqual(['agent', 'server', 'cluster']);
    expect(parseArguments(['cluster', 'agent', '--sizes', '3x2', '--agents', '4,8']).steps).toEqual(['agent', 'cluster']);
    expect(parseArguments(['--sizes', '3x2,100x20'])).toMatchObject({ sizes: [{ repos: 3, peers: 2 }, { repos: 100, peers: 20 }] });
  });

  it.each([['moon'], ['--agents', '0'], ['--agents', '501'], ['--sizes', '3'], ['--sizes', '3x256'], ['--seconds', '1.5'], ['--what']])('is refused where it says %s %s', (...args) => {
    expect(() => parseArguments(args)).toThrow(USAGE);
  });
});

describe('figures', () => {
  it('are shown with the digits that count', () => {
    expect([0, 0.1234, 1.234, 12.34, 1234.5, 7, undefined, 'x'].map(formatNumber)).toEqual(['0', '0.123', '1.23', '12.3', '1235', '7', '-', 'x']);
  });

  it('are the value below which a share lies, and nothing of nothing', () => {
    expect([percentile([3, 1, 2], 0.5), percentile([1], 0.95), percentile([], 0.5)]).toEqual([2, 1, undefined]);
    expect([ratio(6, 3), ratio(undefined, 3)]).toEqual([2, undefined]);
  });

  it('make a table whose columns are in line', () => {
    expect(formatTable([{ a: 1, longer: 22.22 }, { a: 100, longer: undefined }])).toEqual(['|   a | longer |', '|----:|-------:|', '|   1 |   22.2 |', '| 100 |      - |']);
    expect(formatTable([])).toEqual([]);
  });
});

describe('the report', () => {
  const agent = [{ repos: 1, peers: 1, 'p50 ms': 70, 'p95 ms': 90, missing: 0, 'RSS MiB': 75, 'idle % of a core': 0.1 }, { repos: 100, peers: 20, 'p50 ms': 700, 'p95 ms': 900, missing: 0, 'RSS MiB': 150, 'idle % of a core': 2 }];

  it('says the largest size of each step in a line', () => {
    expect(summarise(new Map([['agent', agent]]))).toEqual(['one agent, 100 repositories, 20 peers: commit to work tree p50 700 ms, p95 900 ms, 0 missing; 150 MiB, idle 2 % of a core']);
  });

  it('has plots of what was measured, drawn within their frame', () => {
    const server: readonly Figures[] = [{ agents: 10, 'p50 ms': 90, 'server RSS MiB': 17, 'RSS MiB an agent': 12, 'server cores': 0.01, 'agents cores': 0.2 }];
    const plots = plotsOf(new Map<StepName, readonly Figures[]>([['agent', agent], ['server', server]]));
    expect(plots.map(({ file }) => file)).toEqual(['scale-agent-memory.svg', 'scale-agent-latency.svg', 'scale-server-latency.svg', 'scale-server-memory.svg', 'scale-server-cores.svg']);
    for (const { plot } of plots) {
      const svg = drawPlot({ ...plot, title: 'a < b & c' });
      expect(svg).toContain('a &lt; b &amp; c');
      const dots = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
      expect(dots.length).toBeGreaterThan(0);
      expect(dots.every(([x = -1, y = -1]) => x >= 64 && x <= 490 && y >= 40 && y <= 254)).toBe(true);
    }
  });
});
