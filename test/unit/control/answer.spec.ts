// Answers to a caller that reads at its own pace, or not at all.

import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { answerLines } from '../../../src/control/answer.ts';

/** An answer of which nothing is read until `read` is called. */
class Unread extends Writable {
  #taken: (() => void) | undefined;
  text = '';
  readonly headersSent = true;

  constructor() {
    super({ highWaterMark: 10 });
  }

  writeHead(): void {}

  flushHeaders(): void {}

  read(): void {
    this.#taken?.();
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.text += bytes.toString();
    this.#taken = done;
  }
}

/** As many values as anybody wants, counted. */
function makeValues(): { readonly values: AsyncGenerator<string>; readonly counted: () => number } {
  let count = 0;
  async function* values(): AsyncGenerator<string> {
    for (;;) {
      count += 1;
      await new Promise(setImmediate);
      yield 'a value of more than ten bytes';
    }
  }
  return { values: values(), counted: () => count };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
};

function answer(response: Unread, values: AsyncIterable<unknown>, signal = new AbortController().signal): Promise<void> {
  return answerLines(response as unknown as ServerResponse, values, { signal, isEventStream: false });
}

afterEach(() => void vi.useRealTimers());

describe('answerLines', () => {
  it('asks for no more values than its caller reads', async () => {
    const response = new Unread();
    const { values, counted } = makeValues();
    const stopping = new AbortController();
    const answered = answer(response, values, stopping.signal);
    await turns();
    expect(counted()).toBe(1);
    response.read();
    await turns();
    expect(counted()).toBe(2);
    stopping.abort();
    response.destroy();
    await answered;
    expect(response.text.split('\n')[0]).toBe('"a value of more than ten bytes"');
  });

  it('lets go of a caller that reads nothing for two minutes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const response = new Unread();
    const { values } = makeValues();
    const stopping = new AbortController();
    const answered = answer(response, values, stopping.signal);
    await turns();
    await vi.advanceTimersByTimeAsync(119_000);
    expect(response.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    expect(response.destroyed).toBe(true);
    stopping.abort();
    await answered;
  });
});
