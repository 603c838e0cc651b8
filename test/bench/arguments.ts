// What `npm run bench` was asked for. Rule: rows run in the order of the table; a word or number that is none of ours is refused.

/** Every row by its word. */
export const ROWS = ['latency', 'latency-direct', 'push', 'push-direct', 'wire', 'clone10', 'clone500', 'raw', 'caps', 'start', 'folder', 'watch50k', 'burst10k', 'memory', 'idle'] as const;
export type RowName = (typeof ROWS)[number];

export interface Asked {
  readonly rows: readonly RowName[];
  /** Commits, rounds or seconds, for the rows that count something. */
  readonly count: number | undefined;
  readonly isMarkdown: boolean;
}

/**
 * `[row…] [count] [--markdown]`; a number alone is the commits of latency and wire.
 * @throws Error that lists the rows there are
 */
export function parseArguments(args: readonly string[]): Asked {
  const words = args.filter((arg) => arg !== '--markdown' && arg !== '--');
  const numbers = words.filter((word) => /^[1-9]\d{0,4}$/.test(word)).map(Number);
  const names = words.filter((word) => !/^\d/.test(word));
  const rows = ROWS.filter((row) => names.includes(row));
  if (rows.length < new Set(names).size || numbers.length > 1 || names.length + numbers.length < words.length) {
    throw new Error(`usage: npm run bench -- [${ROWS.join('|')}]… [count] [--markdown]`);
  }
  const [count] = numbers;
  const byDefault: readonly RowName[] = count === undefined ? ROWS.filter((row) => row !== 'memory') : ['latency', 'wire'];
  return { rows: rows.length > 0 ? rows : byDefault, count, isMarkdown: args.includes('--markdown') };
}
