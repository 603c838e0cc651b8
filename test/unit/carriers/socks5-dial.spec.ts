import { describe, expect, it } from 'vitest';
import { dialStreamhost } from '../../../src/carriers/socks5-dial.ts';
import { Socks5Server } from '../../../src/carriers/socks5-machine.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { EventClock } from '../../helpers/event-clock.ts';
import { findFreePorts } from '../../helpers/ports.ts';
import { startStreamhost } from '../../helpers/streamhosts.ts';
import { listenLocally } from '../../helpers/tcp-pair.ts';
import { until } from '../../helpers/waiting.ts';

const NAME = '0123456789abcdef0123456789abcdef01234567';

function dial({ host, port }: { readonly host: string; readonly port: number }, clock: Clock = realClock, signal = new AbortController().signal) {
  return dialStreamhost({ host, port, name: NAME, clock, timeoutMs: 5000, signal });
}

describe('dialStreamhost', () => {
  it('gives a paused connection that has its stream, with the bytes that came along', async () => {
    const streamhost = await listenLocally((socket) => {
      const machine = new Socks5Server((name) => name === NAME);
      socket.on('data', (bytes) => {
        const { send, state } = machine.receive(bytes);
        socket.write(state === 'done' ? Buffer.concat([send, Buffer.from('early')]) : send);
      });
    });
    const { socket, early } = await dial(streamhost);
    expect(Buffer.from(early).toString()).toBe('early');
    expect(socket.isPaused()).toBe(true);
    expect(socket.listenerCount('data')).toBe(0);
    socket.destroy();
  });

  it('sends greeting and request in one piece each, and neither before its time', async () => {
    const reads: number[] = [];
    const streamhost = await listenLocally((socket) => {
      const machine = new Socks5Server(() => true);
      socket.on('data', (bytes) => {
        reads.push(bytes.length);
        // As late as it likes: nothing comes meanwhile.
        setImmediate(() => socket.write(machine.receive(bytes).send));
      });
    });
    const { socket } = await dial(streamhost);
    expect(reads).toEqual([3, 47]);
    socket.destroy();
  });

  it.each([
    ['closes at once', 'closed the connection'],
    ['is no SOCKS5', 'the version is 83'],
    ['refuses', 'not allowed'],
    ['answers for another stream', 'another stream'],
  ] as const)('names the streamhost that %s, and closes', async (behaviour, words) => {
    const streamhost = await startStreamhost(behaviour);
    await expect(dial(streamhost)).rejects.toMatchObject({ code: 'tcp', message: expect.stringContaining(words) });
    await until(() => streamhost.open === 0);
  });

  it.each(['says nothing', 'stops in the middle'] as const)('gives up after its deadline on one that %s, and closes', async (behaviour) => {
    const clock = new EventClock();
    const streamhost = await startStreamhost(behaviour);
    const dialled = dial(streamhost, clock);
    const failed = expect(dialled).rejects.toMatchObject({ code: 'timeout' });
    await until(() => streamhost.open === 1);
    await clock.advance(5000);
    await failed;
    await until(() => streamhost.open === 0);
  });

  it('says when nobody listens', async () => {
    const [port = 0] = await findFreePorts(1);
    await expect(dial({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'tcp', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('stops when it is no longer wanted, and does not begin when it never was', async () => {
    const streamhost = await startStreamhost('says nothing');
    const stop = new AbortController();
    const fault = new Fault('not-connected', 'taken back');
    const failed = expect(dial(streamhost, realClock, stop.signal)).rejects.toBe(fault);
    await until(() => streamhost.open === 1);
    stop.abort(fault);
    await failed;
    await until(() => streamhost.open === 0);
    await expect(dial(streamhost, realClock, stop.signal)).rejects.toBe(fault);
    expect(streamhost.accepted).toBe(1);
  });
});
