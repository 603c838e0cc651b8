// The two pipes of remotedaemon, with real readers and writers.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonPipes, pipePlaces } from '../../../src/control/daemon-pipes.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

let gitDir: string;
let heard: string;
let isGone: boolean;
let pipes: DaemonPipes;

beforeEach(() => {
  gitDir = makeFolder();
  [heard, isGone] = ['', false];
  pipes = new DaemonPipes({
    gitDir,
    clock: realClock,
    onData: (bytes) => (heard += Buffer.from(bytes).toString()),
    standing: () => ['CONNECTED x'],
    onGone: () => (isGone = true),
  });
});

afterEach(() => pipes.stop());

/** A program that reads; what it got so far. */
function read(path: string): { readonly got: () => string; readonly ended: Promise<void>; end(): void } {
  const child = spawn('cat', [path]);
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  return { got: () => text, ended: new Promise((resolve) => child.once('close', () => resolve())), end: () => child.kill() };
}

describe('DaemonPipes', () => {
  it('hear one writer after another, and are for nobody else', async () => {
    const { control, events } = await pipes.start();
    for (const path of [control, events]) expect([statSync(path).isFIFO(), statSync(path).mode & 0o777]).toEqual([true, 0o600]);
    expect(statSync(join(gitDir, 'xmpp')).mode & 0o777).toBe(0o700);
    writeFileSync(control, 'PAUSE\n');
    await until(() => heard === 'PAUSE\n');
    writeFileSync(control, 'RESUME\n');
    await until(() => heard === 'PAUSE\nRESUME\n');
  });

  it('tell whoever reads how it stands, then what is new; and the next one again', async () => {
    const { events } = await pipes.start();
    pipes.say('unread');
    const one = read(events);
    await until(() => one.got() === 'CONNECTED x\n');
    pipes.say('SYNCING x');
    await until(() => one.got() === 'CONNECTED x\nSYNCING x\n');
    one.end();
    await one.ended;
    pipes.say('to nobody');
    const other = read(events);
    await until(() => other.got() === 'CONNECTED x\n');
    await pipes.stop();
    await other.ended;
    expect(existsSync(events)).toBe(false);
  });

  it('let go of a reader that does not read on, and stand still for nobody', async () => {
    const { events } = await pipes.start();
    const sleeper = spawn('sh', ['-c', `exec 3<'${events}'; read line <&3; echo "$line"; sleep 60`], { detached: true });
    await new Promise((resolve) => sleeper.stdout.once('data', resolve));
    for (let count = 0; count < 5000; count += 1) pipes.say(`WARNING x ${'w'.repeat(400)}`);
    const other = read(events);
    if (sleeper.pid !== undefined) process.kill(-sleeper.pid);
    await until(() => other.got().endsWith('CONNECTED x\n'));
    other.end();
  });

  it('take the place of pipes that were left behind, and of nothing else', async () => {
    await pipes.start();
    const next = new DaemonPipes({ gitDir, clock: realClock, onData: () => undefined, standing: () => [], onGone: () => undefined });
    await next.start();
    await next.stop();
    const { events } = pipePlaces(gitDir);
    mkdirSync(events);
    await expect(next.start()).rejects.toMatchObject({ code: 'exists' });
  });

  it('say when they are taken away', async () => {
    await pipes.start();
    await rm(join(gitDir, 'xmpp'), { recursive: true });
    await until(() => isGone);
  });

  it('are one pipe both ways on Windows', () => {
    const { control, events } = pipePlaces('C:\\notes\\.git', 'win32');
    expect(control).toMatch(/^\\\\\.\\pipe\\git-xmpp-[0-9a-f]{32}$/);
    expect(events).toBe(control);
  });
});
