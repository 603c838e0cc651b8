// What people are told of a first transfer: as the sender said, sparingly, and no more once the map is here.

import { beforeEach, describe, expect, it } from 'vitest';
import { SliceNews } from '../../../src/agent/slice-news.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makePeer } from '../../helpers/home-values.ts';

const laptop = makePeer('laptop');
const MB = 1_000_000;

let agent: AgentRepo;
let words: string[];
let now: number;
let news: SliceNews;

beforeEach(async () => {
  agent ??= await openAgentRepo();
  [words, now] = [[], 1000];
  const clock = { now: () => now, setTimer: () => ({ cancel: () => undefined }) };
  news = new SliceNews({ clock, events: { emit: (event) => words.push(event.words) } });
});

const progress = (): unknown => news.progress(agent.shared().id, laptop.device);

describe('news of slices', () => {
  it('count what comes in now, and end with the map', () => {
    let received = 0;
    expect(progress()).toBeUndefined();
    const slice = news.begin(agent, laptop, { received: () => received, progress: { done: 5 * MB, total: 340 * MB } });
    received = 2 * MB;
    expect(progress()).toEqual({ done: 7 * MB, total: 340 * MB });
    slice.taken(3 * MB);
    expect(progress()).toEqual({ done: 8 * MB, total: 340 * MB });
    news.end(agent, laptop.device);
    expect(progress()).toBeUndefined();
  });

  it('are told with the first slice, then at most every ten seconds', () => {
    const take = (bytes: number, at: number): void => {
      now = at;
      news.begin(agent, laptop, { received: () => 0, ...(at === 1000 ? {} : { progress: { done: 10 * MB, total: 340 * MB } }) }).taken(bytes);
    };
    take(MB / 4, 1000);
    take(MB, 5000);
    take(2 * MB, 11_000);
    expect(words).toEqual(['took in 0.3 MB of notes from laptop', 'took in 12 MB of 340 MB of notes from laptop']);
  });

  it('believe no total below what has come', () => {
    news.begin(agent, laptop, { received: () => 0, progress: { done: 0, total: 1 } }).taken(20 * MB);
    expect(words).toEqual(['took in 20 MB of 20 MB of notes from laptop']);
  });
});

