// What two looks at the clock and at the network's addresses tell: the machine slept, or it is on another network.
// Rule: pure; a look that comes a little late, or a clock that is set back, is nothing.

/** One interface's addresses, as `os.networkInterfaces()` of node:os gives them. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>>;

/** What was noticed: `woke` with how long nothing ran, in milliseconds. */
export type Change = { readonly type: 'woke'; readonly missedMs: number } | { readonly type: 'network' };

/** Time between two looks, in milliseconds. */
export const LOOK_MS = 5_000;
/** A look that comes so much later than it was due comes after sleep, in milliseconds. */
export const JUMP_MS = 10_000;

/** Compares each look with the one before. */
export class WakeMachine {
  #lookedAt: number;
  #addresses: string;

  /** @param now wall-clock time in milliseconds */
  constructor(now: number, interfaces: Interfaces) {
    this.#lookedAt = now;
    this.#addresses = formatAddresses(interfaces);
  }

  /** What happened since the last look; sleep first. */
  look(now: number, interfaces: Interfaces): Change[] {
    const missedMs = now - this.#lookedAt - LOOK_MS;
    const addresses = formatAddresses(interfaces);
    const changes: Change[] = [];
    if (missedMs > JUMP_MS) changes.push({ type: 'woke', missedMs });
    if (addresses !== this.#addresses) changes.push({ type: 'network' });
    this.#lookedAt = now;
    this.#addresses = addresses;
    return changes;
  }
}

/** One line for all addresses that lead anywhere: not the machine's own, nor link-local ones (RFC 4291 §2.5.6, RFC 3927), which come and go with containers. */
function formatAddresses(interfaces: Interfaces): string {
  const all = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.filter(({ address, internal }) => !internal && !/^(?:fe[89ab][0-9a-f]:|169\.254\.)/i.test(address)).map(({ address }) => `${name} ${address}`),
  );
  return all.sort().join('\n');
}
