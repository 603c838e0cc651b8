import { describe, expect, it } from 'vitest';
import { describeObstacles } from '../../../src/cli/words-format.ts';
import type { LinkStats } from '../../../src/link/link-stats.ts';

const IN_BAND: LinkStats = { kind: 'in-band', addressClass: 'server', srttMs: 40, up: 0, down: 0, sent: 0, received: 0, again: 0, changes: 0, lanes: 0, inLanes: 0 };

describe('describeObstacles', () => {
  it('says nothing of a way that is well', () => {
    expect(describeObstacles([IN_BAND, { ...IN_BAND, up: 2_000_000 }])).toEqual([]);
    expect(describeObstacles([{ ...IN_BAND, kind: 'socks5', srttMs: 900, up: 10 }])).toEqual([]);
    expect(describeObstacles([])).toEqual([]);
  });

  it('names a server that throttles by the delay it makes, and only while something goes', () => {
    expect(describeObstacles([{ ...IN_BAND, srttMs: 1_800, up: 7_200 }])).toEqual([expect.stringMatching(/throttles/)]);
    expect(describeObstacles([{ ...IN_BAND, srttMs: 1_800 }])).toEqual([]);
  });

  it('says once why there is no better way', () => {
    const noBetter = 'the proxy is down';
    expect(describeObstacles([{ ...IN_BAND, noBetter }, { ...IN_BAND, noBetter }])).toEqual(['no better way: the proxy is down']);
  });
});
