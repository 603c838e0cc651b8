// What one small commit costs at the server: bytes and stanzas in both directions together, announcement included.
// Rule: counted where the server counts, from its own log of every stanza.

import type { Row, Setting } from './setting.ts';

const COMMITS = 5;

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
    const lines = server.stanzaLog().slice(before.length).split('\n').filter(Boolean);
    bytes.push(lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0));
    stanzas.push(lines.length);
  }
  const middle = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
  return [['one-line commit at the server, both directions', `${middle(bytes)} B`, `${Math.max(...bytes)} B`, 'stanzas', String(middle(stanzas)), '']];
}
