// What one small commit costs at the server: bytes and stanzas in both directions together, announcement included.
// Rule: counted where the server counts, from its own log of every stanza, until nothing more is said: late acknowledgements count too.

import type { Row, Setting } from './setting.ts';

const COMMITS = 3;
/** Longer than an acknowledgement waits, and than silence lasts before a PING. */
const SILENCE_MS = 9_000;

export async function benchWire({ server, a, b, dirA, dirB }: Setting): Promise<Row[]> {
  const bytes: number[] = [];
  const stanzas: number[] = [];
  for (let index = 0; index < COMMITS; index += 1) {
    const before = server.stanzaLog();
    const start = Date.now();
    const oid = await a.commit(dirA, { 'wire.txt': `line ${index}\n` }, `wire ${index}`);
    await b.head(dirB, oid);
    // The exchange is over when b has told a that it holds the same.
    await b.event(({ type, at }) => type === 'offered' && at >= start);
    await untilSilent(() => server.stanzaLog().length);
    const lines = server.stanzaLog().slice(before.length).split('\n').filter(Boolean);
    bytes.push(lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0));
    stanzas.push(lines.length);
  }
  const middle = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
  return [['one-line commit at the server, both directions', `${middle(bytes)} B`, `${Math.max(...bytes)} B`, 'stanzas', String(middle(stanzas)), '']];
}

/** Resolves when what is counted has stood still for `SILENCE_MS`. */
async function untilSilent(count: () => number): Promise<void> {
  let [last, since] = [count(), performance.now()];
  while (performance.now() - since < SILENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = count();
    if (now !== last) [last, since] = [now, performance.now()];
  }
}
