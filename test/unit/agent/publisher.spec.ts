// Our own map told and written, with real git: what happens where somebody holds a lock in its way.

import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Publisher } from '../../../src/agent/publisher.ts';
import { Engine } from '../../../src/sync/engine.ts';
import type { Intention } from '../../../src/sync/engine.ts';
import { openAgentRepo, refsOf } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit } from '../../helpers/repo.ts';

it('takes back what was told and could not be written, and writes it once the lock has grown old', async () => {
  const agent = await openAgentRepo();
  const [key, peer] = [makeDeviceKey(), makeDeviceKey()];
  const context = { ...agent, me: key.device };
  const engine = new Engine(key.device, new Map());
  engine.receive({ type: 'granted', peer: peer.device, isGranted: true });
  engine.receive({ type: 'contact', peer: peer.device, maps: new Map() });
  const again: number[] = [];
  const offered: Intention[] = [];
  const clock = { now: () => Date.now(), setTimer: () => ({ cancel: () => undefined }) };
  const carryOut = (all: readonly Intention[]): Promise<void> => Promise.resolve(void offered.push(...all));
  const publisher = new Publisher({ context, me: key, clock, engine, carryOut, onUnwritten: (ms) => again.push(ms) });

  const one = commit(agent.repo, { a: '1' }, 'one');
  await publisher.publish(refsOf({ main: one }));
  const held = agent.maps.signed(key.device)?.counter ?? 0;
  expect([engine.maps.get(key.device), again]).toEqual([held, []]);

  const two = commit(agent.repo, { a: '2' }, 'two');
  const lock = join(agent.repo.gitDir, `refs/xmpp/${key.device}/heads/main.lock`);
  writeFileSync(lock, '');
  await publisher.publish(refsOf({ main: two }));
  expect(again).toHaveLength(1);
  expect([engine.maps.get(key.device), agent.maps.signed(key.device)?.counter]).toEqual([held, held]);
  // What is told as delivered leads to no other offer of the same.
  const offers = engine.receive({ type: 'delivered', peer: peer.device, device: key.device, counter: held });
  expect(offers).toEqual([]);

  const old = Date.now() / 1000 - 60;
  utimesSync(lock, old, old);
  await publisher.publish(refsOf({ main: two }));
  expect(existsSync(lock)).toBe(false);
  expect(agent.maps.refsOf(key.device)).toEqual(refsOf({ main: two }));
  expect(engine.maps.get(key.device)).toBe(agent.maps.signed(key.device)?.counter);
  expect(again).toHaveLength(1);
});
