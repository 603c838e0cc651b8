// A path as it is to the other side of the world, where the kernel has no netem: a proxy that hands bytes on late, and some segments later still, as TCP does
// when one is lost. Rule: order and content stay; a segment that was lost holds back all that came after it, as a receiver's kernel does.

import net from 'node:net';

export interface FarPathOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Where it listens; a free port of 127.0.0.1 unless told. */
  readonly at?: { readonly host: string; readonly port: number };
  /** Each way. */
  readonly delayMs: number;
  /** Segments of a hundred that have to be sent a second time. */
  readonly lossPercent: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface FarPath {
  readonly host: string;
  readonly port: number;
  /** Bytes that were handed on, both ways. */
  readonly carried: number;
  stop(): Promise<void>;
}

/** Of Ethernet, without headers and time stamps. */
const SEGMENT = 1_448;
/** What Linux waits at least before it sends again (TCP_RTO_MIN), beside the round trip. */
const RTO_MIN_MS = 200;
/** How much may be on its way at once each way: the window of a receiver that is not tuned. */
const WINDOW = 4 * 2 ** 20;

export async function startFarPath(options: FarPathOptions): Promise<FarPath> {
  const { target, at = { host: '127.0.0.1', port: 0 } } = options;
  const counts = { carried: 0 };
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const far = net.connect({ ...target, allowHalfOpen: true });
    for (const [from, to] of [[client, far], [far, client]] as const) {
      open.add(from);
      from.setNoDelay();
      from.on('error', () => to.destroy());
      from.once('close', () => open.delete(from));
      carry(from, to, options, counts);
    }
  });
  await new Promise<void>((resolve) => server.listen(at.port, at.host, resolve));
  const address = server.address();
  return {
    host: at.host,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get carried() {
      return counts.carried;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function carry(from: net.Socket, to: net.Socket, { delayMs, lossPercent, random }: FarPathOptions, counts: { carried: number }): void {
  /** When the last byte so far arrives: nothing overtakes it. */
  let last = 0;
  let flying = 0;
  // Timers of nearly the same moment may fire in any order, so each does what is next.
  const due: (() => void)[] = [];
  const late = (work: () => void, extraMs: number): void => {
    const now = performance.now();
    last = Math.max(last, now + delayMs + extraMs);
    due.push(work);
    setTimeout(() => due.shift()?.(), last - now);
  };
  from.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += SEGMENT) {
      const part = bytes.subarray(at, at + SEGMENT);
      flying += part.length;
      late(() => {
        flying -= part.length;
        counts.carried += part.length;
        if (to.writable) to.write(part);
        if (flying < WINDOW) from.resume();
      }, random() * 100 < lossPercent ? RTO_MIN_MS + 2 * delayMs : 0);
    }
    if (flying >= WINDOW) from.pause();
  });
  from.on('end', () => late(() => to.end(), 0));
  from.once('close', () => late(() => to.destroy(), 0));
}
