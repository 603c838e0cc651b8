// The one line of a transfer that is under way, on stderr. Rule: written over itself on a terminal; elsewhere one line when something
// changes that a person would tell, and at most every ten seconds.

import type { CloneLine } from '../agent/answers.ts';
import { realClock } from '../lib/clock.ts';

const LINE_EVERY_MS = 10_000;

export interface Progress {
  line(told: Extract<CloneLine, { readonly type: 'progress' }>, peer: string): void;
  /** Ends the line. */
  end(): void;
}

export function tellProgress(): Progress {
  const isTerminal = process.stderr.isTTY;
  let toldAt = -Infinity;
  let state = '';
  let isOpen = false;
  return {
    line(told, peer) {
      const now = realClock.now();
      const next = told.isOnline ? 'online' : 'offline';
      if (!isTerminal && next === state && now - toldAt < LINE_EVERY_MS) return;
      [state, toldAt] = [next, now];
      const words = told.isOnline ? formatAmount(told) : `${peer} is offline; this goes on when it returns`;
      process.stderr.write(isTerminal ? `\r\u001b[K${words}` : `${words}\n`);
      isOpen = isTerminal;
    },
    end() {
      if (isOpen) process.stderr.write('\n');
      isOpen = false;
    },
  };
}

/** `Receiving: 12.0 of 340.5 MB, in-band`. */
export function formatAmount({ received, total, carrier }: { readonly received: number; readonly total?: number; readonly carrier?: string }): string {
  const amount = (received / 1e6).toFixed(1);
  const of = total === undefined || total === 0 ? '' : ` of ${(Math.max(total, received) / 1e6).toFixed(1)}`;
  return `Receiving: ${amount}${of} MB${carrier === undefined ? '' : `, ${carrier}`}`;
}
