// In-band: what a server's limit leaves of a clone, what a small request waits meanwhile, and what goes through without a limit.
// Rule: beside each figure stands the ceiling that arithmetic sets it: the bytes of a full block's stanza, as it really went out.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { startProsody } from '../helpers/prosody.ts';
import { measureRaw } from './in-band-raw.ts';
import type { Row } from './setting.ts';

/** A server's limit, and how much of a clone is watched under it. */
interface Cap {
  readonly rate: string;
  readonly bytesPerS: number;
  readonly cloneBytes: number;
}

const CAPS: readonly Cap[] = [
  { rate: '10kb/s', bytesPerS: 10_000, cloneBytes: 700_000 },
  { rate: '3kb/s', bytesPerS: 3_000, cloneBytes: 250_000 },
];
const UNTHROTTLED_BYTES = 60_000_000;

/** Rows of the table of `npm run bench`; takes about five minutes, nearly all of it waiting for the limits. */
export async function benchInBand(caps: readonly Cap[] = CAPS): Promise<Row[]> {
  const rows: Row[] = [];
  for (const blockSize of [4096, 16_384]) rows.push(await benchUnthrottled(blockSize));
  for (const cap of caps) rows.push(...(await benchCap(cap)));
  return rows;
}

async function benchUnthrottled(blockSize: number): Promise<Row> {
  const server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' } });
  try {
    const { rate } = await measureRaw(server, UNTHROTTLED_BYTES, blockSize);
    return [`in-band, no limit, blocks of ${blockSize}`, `${(rate / 1e6).toFixed(1)} MB/s`, '', 'bar', '5 MB/s', (rate / 5e6).toFixed(2)];
  } finally {
    await server.stop();
  }
}

async function benchCap({ rate, bytesPerS, cloneBytes }: Cap): Promise<Row[]> {
  const setting = await startTwoDevices({ hasStanzaLog: true });
  try {
    const other = await prepare(setting, cloneBytes);
    // Signing in and pairing are not what is measured here.
    await setting.server.restart({ rate });
    for (const device of [setting.laptop, setting.desktop]) {
      await device.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true, 120_000);
    }
    const { goodput, ceiling } = await measureClone(setting, other, bytesPerS);
    const ratio = (goodput.bytesPerS / ceiling).toFixed(2);
    const [asked, arrived] = [goodput.asked, goodput.arrived].map((ms) => `${(ms / 1000).toFixed(1)} s`);
    return [
      [`clone in-band under ${rate}`, `${goodput.bytesPerS.toFixed(0)} B/s`, '', 'ceiling of block 4096', `${ceiling.toFixed(0)} B/s`, ratio],
      [`git xmpp repos meanwhile, ${rate}`, asked ?? '', '', 'bar', '3 s', ''],
      [`one-line commit to another repo meanwhile, ${rate}`, arrived ?? '', '', 'bar', '3 s', ''],
    ];
  } finally {
    await setting.stop();
  }
}

/** A large repository to clone, and another one that is in sync. */
async function prepare({ laptop, desktop }: TwoDevices, bytes: number): Promise<{ readonly here: string; readonly there: string }> {
  const here = await laptop.repo('notes');
  await laptop.xmppIn(here, 'share');
  await desktop.xmpp('clone', 'laptop/notes');
  const large = await laptop.repo('large');
  await writeFile(path.join(large, 'large.bin'), randomBytes(bytes));
  await laptop.commit(large, {}, 'large');
  await laptop.xmppIn(large, 'share');
  return { here, there: desktop.path('notes') };
}

interface Measured {
  readonly bytesPerS: number;
  /** Milliseconds that each small thing took while the clone ran. */
  readonly asked: number;
  readonly arrived: number;
}

async function measureClone(
  { server, laptop, desktop }: TwoDevices,
  other: { readonly here: string; readonly there: string },
  capBytesPerS: number,
): Promise<{ readonly goodput: Measured; readonly ceiling: number }> {
  const before = server.stanzaLog().length;
  const start = performance.now();
  const clone = desktop.start('git', ['clone', '--progress', 'xmpp::laptop/large', desktop.path('copy')]);
  await clone.line(/Receiving objects:/);
  const askedAt = performance.now();
  await desktop.xmpp('repos', 'laptop');
  const asked = performance.now() - askedAt;
  const oid = await laptop.commit(other.here, { 'line.txt': 'one line\n' }, 'one line');
  const committedAt = performance.now();
  await desktop.head(other.there, oid, 60_000);
  const arrived = performance.now() - committedAt;
  const { code, stderr } = await clone.ended;
  if (code !== 0) throw new Error(stderr);
  const seconds = (performance.now() - start) / 1000;
  const blocks = server.stanzaLog().slice(before).split('\n').map(readBlock).filter((block) => block !== undefined);
  const full = blocks.reduce((most, block) => (block.bytes > most.bytes ? block : most), { bytes: 0, stanza: 1 });
  const largest = Math.max(...blocks.map(({ sender }) => blocks.filter((one) => one.sender === sender).reduce((sum, one) => sum + one.bytes, 0)));
  return { goodput: { bytesPerS: largest / seconds, asked, arrived }, ceiling: (full.bytes / full.stanza) * capBytesPerS };
}

/** The bytes of a block and of the stanza around it, from a line of the server's log of stanzas. */
function readBlock(line: string): { readonly sender: string; readonly bytes: number; readonly stanza: number } | undefined {
  const [, sender = '', xml = ''] = line.split('\t');
  const [, text] = /<data [^>]*>([^<]*)</.exec(xml) ?? [];
  return text === undefined ? undefined : { sender, bytes: (text.replace(/=+$/, '').length * 3) >> 2, stanza: Buffer.byteLength(xml) };
}
