// A machine that changes its network: a namespace of its own with two ways out, one of which is up. Rule: whatever is made here is gone
// after `stop`, and where namespaces are refused it says so.

import { execFileSync } from 'node:child_process';

export interface MovingNetwork {
  /** Where the ways lead: a server on it can be reached over either. */
  readonly host: string;
  /** Command and first arguments that run something inside. */
  readonly enter: readonly string[];
  /** Takes the first way down, its address with it, and the second one up. */
  move(): void;
  /** Takes the second way down, after `move`: nothing leads anywhere. */
  lose(): void;
  /** Takes it up again. */
  restore(): void;
  stop(): void;
}

/** @throws where this user may make no network namespaces */
export function makeMovingNetwork(): MovingNetwork {
  const name = `gx${process.pid}`;
  // Of the block that is set aside for tests between machines (RFC 2544), so that nothing real is hidden.
  const way = (number: 1 | 2): { readonly out: string; readonly inside: string; readonly here: string; readonly there: string } => {
    const net = `198.18.${process.pid % 250}`;
    return { out: `${name}o${number}`, inside: `${name}i${number}`, here: `${net}.${number * 4 + 1}`, there: `${net}.${number * 4 + 2}` };
  };
  const ip = (...args: string[]): void => {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const up = (number: 1 | 2): void => {
    const { inside, here, there } = way(number);
    ip('-n', name, 'address', 'add', `${there}/30`, 'dev', inside);
    ip('-n', name, 'link', 'set', inside, 'up');
    ip('-n', name, 'route', 'replace', 'default', 'via', here);
  };
  const stop = (): void => {
    try {
      ip('netns', 'delete', name);
    } catch {
      // It was never made.
    }
  };
  try {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    for (const number of [1, 2] as const) {
      const { out, inside, here } = way(number);
      ip('link', 'add', out, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
      ip('address', 'add', `${here}/30`, 'dev', out);
      ip('link', 'set', out, 'up');
    }
    up(1);
  } catch (cause) {
    stop();
    throw new Error('this spec needs network namespaces and veth pairs, which are refused here (they take root, or CAP_NET_ADMIN)', { cause });
  }
  return {
    host: way(1).here,
    enter: ['ip', 'netns', 'exec', name],
    move: () => {
      ip('-n', name, 'address', 'flush', 'dev', way(1).inside);
      ip('-n', name, 'link', 'set', way(1).inside, 'down');
      up(2);
    },
    lose: () => {
      ip('-n', name, 'address', 'flush', 'dev', way(2).inside);
      ip('-n', name, 'link', 'set', way(2).inside, 'down');
    },
    restore: () => up(2),
    stop,
  };
}
