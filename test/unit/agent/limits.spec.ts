// The person's own limits, from git's configuration to the carrier.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Limits } from '../../../src/agent/limits.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { Config } from '../../../src/home/config.ts';
import { Peers } from '../../../src/home/peers.ts';
import { Settings } from '../../../src/home/settings.ts';
import { makeCarrierPair } from '../../helpers/carrier-pair.ts';
import { TestSink, TestSource } from '../../helpers/carrier-ends.ts';
import { makeHome } from '../../helpers/home.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

/** Bytes that get through a carrier of that kind in ten seconds under a configuration. */
async function through(text: string, kind: 'in-band' | 'direct'): Promise<number> {
  const home = await makeHome();
  const person = makeFolder();
  writeFileSync(join(person, '.gitconfig'), text);
  const runGit = createRunGit({ PATH: process.env['PATH'], HOME: person });
  const clock = new VirtualClock();
  const settings = new Settings({ config: new Config(home.config, runGit), runGit, clock, onProblem: () => undefined });
  await settings.refresh();
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  const { near, far } = makeCarrierPair({ kind, block: 4096, window: 64 });
  await peers.add(makePeer('desktop', { address: near.peer }));
  const source = new TestSource();
  source.write(new Uint8Array(2_000_000));
  const sink = new TestSink();
  far.start(new TestSource(), sink);
  new Limits({ settings, peers, clock }).limit(near).start(source, new TestSink());
  for (let tick = 0; tick < 200; tick += 1) await clock.pass(50);
  return far.stats.bytesIn;
}

describe('Limits', () => {
  it.each([
    ['none', '', 'in-band', 2_000_000],
    ['one for all', '[xmpp "limit"]\n\tup = 20k\n', 'direct', 205_000],
    ['one for the peer', '[xmpp "limit.peer.desktop"]\n\tup = 20k\n', 'direct', 205_000],
    ['one for another peer', '[xmpp "limit.peer.phone"]\n\tup = 20k\n', 'direct', 2_000_000],
    ['one for the carrier', '[xmpp "limit.carrier.in-band"]\n\tup = 20k\n', 'in-band', 205_000],
    ['one for another carrier', '[xmpp "limit.carrier.in-band"]\n\tup = 20k\n', 'direct', 2_000_000],
    ['the tightest of several', '[xmpp "limit"]\n\tup = 90k\n[xmpp "limit.carrier.direct"]\n\tup = 20k\n', 'direct', 205_000],
  ] as const)('hold a carrier to %s', async (_name, text, kind, most) => {
    const bytes = await through(text, kind);
    expect(bytes).toBeLessThanOrEqual(most);
    expect(bytes).toBeGreaterThan(most * 0.9);
  });
});
