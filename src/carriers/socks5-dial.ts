// Connects to one streamhost and asks it for one stream (XEP-0065 §5.3.2). Rule: the whole has one deadline, and what fails, is late
// or is no longer wanted leaves no connection behind.

import net from 'node:net';
import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault, codeOf } from '../lib/errors.ts';
import { Socks5Client } from './socks5-machine.ts';

/** A connection that has its stream: paused, with nobody listening but for errors. */
export interface StreamSocket {
  readonly socket: Socket;
  /** Bytes of the stream that came with the handshake. */
  readonly early: Uint8Array;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** 40 lower-case hex digits, see `destinationOf`. */
  readonly name: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** It was there, and was not what it should be. */
export class StreamhostFault extends Fault {}

/** @throws Fault `tcp` no connection, or a `StreamhostFault`: the streamhost refused or answered wrongly; `timeout`, likewise; the reason of `signal` */
export function dialStreamhost({ host, port, name, clock, timeoutMs, signal }: DialOptions): Promise<StreamSocket> {
  const where = `${host} port ${port}`;
  if (signal.aborted) return Promise.reject(asReason(signal));
  return new Promise((resolve, reject) => {
    const machine = new Socks5Client(name);
    const socket = net.connect({ host, port, noDelay: true, autoSelectFamily: true });
    const stop = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
    };
    const fail = (fault: Error): void => {
      stop();
      socket.destroy();
      reject(fault);
    };
    const onAbort = (): void => fail(asReason(signal));
    let isThere = false;
    const onClose = (): void => fail(new StreamhostFault('tcp', `${where} closed the connection before it gave a stream`));
    const onData = (bytes: Uint8Array): void => {
      try {
        const { send, state, rest } = machine.receive(bytes);
        if (send.length > 0) socket.write(send);
        if (state !== 'done') return;
        stop();
        socket.pause();
        resolve({ socket, early: rest });
      } catch (error) {
        fail(new StreamhostFault('tcp', `${where} gave no stream: ${error instanceof InputFault ? error.message : 'it failed'}`, { cause: error }));
      }
    };
    const timer = clock.setTimer(timeoutMs, () => fail(new (isThere ? StreamhostFault : Fault)('timeout', `${where} gave no stream within ${timeoutMs / 1000} s`)));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => fail(new (isThere ? StreamhostFault : Fault)('tcp', `${where} ${isThere ? 'was lost' : 'cannot be reached'}: ${codeOf(error) ?? error.message}`, { cause: error })));
    socket.once('connect', () => {
      isThere = true;
      socket.write(machine.start());
    });
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

function asReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Fault('not-connected', 'it was given up');
}
