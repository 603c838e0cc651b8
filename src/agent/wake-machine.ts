// What two looks at the clock, at the network's addresses and at its default routes tell: the machine slept, is on another network, or on none.
// Rule: pure; a look that comes a little late, or a clock that is set back, is nothing.

/** One interface's addresses, as `os.networkInterfaces()` of node:os gives them. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>>;

/** What was noticed: `woke` with how long nothing ran, in milliseconds; `lostnet`: no address is left that leads anywhere; `network`: other addresses or routes than before. */
export type Change =
  | { readonly type: 'woke'; readonly missedMs: number }
  | { readonly type: 'network'; readonly what: 'addresses' | 'route' | 'return' }
  | { readonly type: 'lostnet' };

/** Time between two looks, in milliseconds. */
export const LOOK_MS = 2_000;
/** A look that comes so much later than it was due comes after sleep, in milliseconds. */
export const JUMP_MS = 10_000;

/** Compares each look with the one before. */
export class WakeMachine {
  #lookedAt: number;
  #addresses: string;
  #routes: string;

  /**
   * @param now wall-clock time in milliseconds
   * @param routes any text that is another one when a default route is
   */
  constructor(now: number, interfaces: Interfaces, routes = '') {
    this.#routes = routes;
    this.#lookedAt = now;
    this.#addresses = formatAddresses(interfaces);
  }

  /** What happened since the last look; sleep first. */
  look(now: number, interfaces: Interfaces, routes = ''): Change[] {
    const missedMs = now - this.#lookedAt - LOOK_MS;
    const addresses = formatAddresses(interfaces);
    const changes: Change[] = [];
    if (missedMs > JUMP_MS) changes.push({ type: 'woke', missedMs });
    if (addresses !== this.#addresses) changes.push(this.#compare(addresses));
    else if (routes !== this.#routes && addresses !== '') changes.push({ type: 'network', what: 'route' });
    this.#lookedAt = now;
    this.#addresses = addresses;
    this.#routes = routes;
    return changes;
  }

  /** Whether any address leads anywhere; a server on the machine itself can be reached all the same. */
  get hasNetwork(): boolean {
    return this.#addresses !== '';
  }

  #compare(addresses: string): Change {
    if (addresses === '') return { type: 'lostnet' };
    return { type: 'network', what: this.hasNetwork ? 'addresses' : 'return' };
  }
}

/** One line for all addresses that lead anywhere: not the machine's own, nor link-local ones (RFC 4291 §2.5.6, RFC 3927), which come and go with containers. */
function formatAddresses(interfaces: Interfaces): string {
  const all = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.filter(({ address, internal }) => !internal && !/^(?:fe[89ab][0-9a-f]:|169\.254\.)/i.test(address)).map(({ address }) => `${name} ${address}`),
  );
  return all.sort().join('\n');
}
