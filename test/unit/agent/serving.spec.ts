// What is served ends when it may not go on.

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Serving } from '../../../src/agent/serving.ts';
import type { ServedProcess } from '../../../src/link/carry.ts';

function makeProcess(): { readonly process: ServedProcess; readonly killed: () => number; end(code: number): void } {
  let kills = 0;
  let end = (_code: number): void => undefined;
  const exit = new Promise<number>((resolve) => (end = resolve));
  const process = { stdin: new PassThrough(), stdout: new PassThrough(), exit, stderrTail: () => 'fatal: hung up\n', kill: () => void (kills += 1), isSilent: true };
  return { process, killed: () => kills, end: (code) => end(code) };
}

describe('Serving', () => {
  it('ends what runs on a grant that is taken back, once, and drops what waits to be sent', () => {
    const serving = new Serving();
    const { process, killed } = makeProcess();
    let may = true;
    const served = serving.add(process, () => may);
    let cuts = 0;
    served.onCut?.(() => (cuts += 1));
    serving.check();
    expect([killed(), cuts]).toEqual([0, 0]);
    may = false;
    serving.check();
    serving.check();
    expect([killed(), cuts]).toEqual([1, 1]);
    expect(served.isSilent).toBe(true);
  });

  it('lets nothing begin that may not', () => {
    const { process, killed } = makeProcess();
    const served = new Serving().add(process, () => false);
    let cuts = 0;
    served.onCut?.(() => (cuts += 1));
    expect([killed(), cuts]).toEqual([1, 1]);
  });

  it('leaves alone what goes on under another grant, and what has ended', async () => {
    const serving = new Serving();
    const [first, second] = [makeProcess(), makeProcess()];
    serving.add(first.process, () => true);
    serving.add(second.process, () => true);
    first.end(0);
    await first.process.exit;
    serving.check();
    expect([first.killed(), second.killed()]).toEqual([0, 0]);
  });
});
