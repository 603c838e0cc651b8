// The words of what was simulated. Rule: the last line says whether all converged, and how much it took.

import type { SimulationResult } from './simulate.ts';

/** One line for one seed. */
export function formatSimulation({ seed, wrong, hubs, commits, rewrites, merges, counts, rounds, tookMs }: SimulationResult): string {
  const outcome = wrong.length === 0 ? 'converged' : 'NOT CONVERGED';
  return `seed ${seed}: ${outcome}; ${hubs} hubs, ${commits} commits, ${rewrites} rewrites, ${merges} automatic merges, ${counts.offers} offers, at most ${rounds} maps of a device and ${seconds(tookMs)} after the last act`;
}

/** Adds up what single seeds said. */
export class Summary {
  readonly #of: { readonly devices: number; readonly isMixed: boolean };
  readonly #failed: number[] = [];
  #seeds = 0;
  #rounds = 0;
  #tookMs = 0;
  #sums = { hubs: 0, commits: 0, rewrites: 0, merges: 0, messages: 0 };

  constructor(of: { readonly devices: number; readonly isMixed: boolean }) {
    this.#of = of;
  }

  get hasFailed(): boolean {
    return this.#failed.length > 0;
  }

  add({ seed, wrong, hubs, commits, rewrites, merges, counts, rounds, tookMs }: SimulationResult): void {
    this.#seeds += 1;
    if (wrong.length > 0) this.#failed.push(seed);
    this.#rounds = Math.max(this.#rounds, rounds);
    this.#tookMs = Math.max(this.#tookMs, tookMs);
    const messages = 2 * (counts.offers + counts.digests + counts.hub) + counts.announcements;
    const sums = this.#sums;
    this.#sums = {
      hubs: sums.hubs + hubs,
      commits: sums.commits + commits,
      rewrites: sums.rewrites + rewrites,
      merges: sums.merges + merges,
      messages: sums.messages + messages,
    };
  }

  get line(): string {
    const { hubs, commits, rewrites, merges, messages } = this.#sums;
    const outcome = this.hasFailed ? `${this.#failed.length} of ${this.#seeds} seeds did not end as they must (${this.#failed.join(', ')})` : `converged: ${this.#seeds} of ${this.#seeds} seeds`;
    const kind = this.#of.isMixed ? ' of mixed policies' : '';
    return `${outcome}, ${this.#of.devices} devices${kind}, ${hubs} hubs, ${commits} commits, ${rewrites} rewrites, ${merges} automatic merges, ${messages} messages, at most ${this.#rounds} rounds, at longest ${seconds(this.#tookMs)}`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
