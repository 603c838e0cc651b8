// A clone where the server lets only so many bytes a second in from a client, beside what arithmetic allows, and what a person who
// works meanwhile waits for. Rule: counted in mid-transfer, when the server's first burst is over.

import { makeRandomRepo } from './random-repo.ts';
import { reasonOf } from './clone.ts';
import { carrierOf, startPlace } from './place.ts';
import type { Place } from './place.ts';
import { ms } from './setting.ts';
import type { Row } from './setting.ts';

const BLOCK = 4096;
/** XEP-0047's default block in base64. */
const BLOCK_BASE64 = Math.ceil(BLOCK / 3) * 4;
/** The server lets through two seconds' worth before it holds back. */
const BURST_SECONDS = 4;
const MEASURED_SECONDS = 12;
const LOOK_MS = 100;
const GIVE_UP_MS = 90_000;

export async function benchCaps(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kilobytes of [10, 3]) {
    const failed = (error: unknown): Row[] => [[`in-band under a cap of ${kilobytes} kB/s`, 'failed', '', reasonOf(error), '', '']];
    rows.push(...(await measureCap(kilobytes).catch(failed)));
  }
  return rows;
}

async function measureCap(kilobytes: number): Promise<Row[]> {
  const place = await startPlace('in-band', { hasStanzaLog: true });
  try {
    const { server, a, b } = place;
    const dir = a.path('large');
    await makeRandomRepo(a, dir, 1);
    await a.xmpp('share', dir);
    const notes = await a.repo('notes');
    await a.xmpp('share', notes);
    await b.xmpp('clone', 'laptop/notes', b.path('notes'));
    await server.restart({ rate: `${kilobytes}kb/s` });
    const isBack = ({ account, peers }: Awaited<ReturnType<typeof a.status>>): boolean => account.state === 'online' && peers.some(({ isOnline }) => isOnline);
    await Promise.all([a.statusWhen(isBack, GIVE_UP_MS), b.statusWhen(isBack, GIVE_UP_MS)]);
    const clone = b.start('git', ['clone', '--quiet', 'xmpp::laptop/large', b.path('cloned')]);
    const name = `in-band under a cap of ${kilobytes} kB/s`;
    const got = await measureGoodput(place, clone.ended, kilobytes);
    const { words } = await carrierOf(place);
    const ceiling = (kilobytes * 1000 * BLOCK) / blockStanza(server.stanzaLog());
    const waits = await measureWaits(place, notes);
    await b.endCommands();
    return [[`${name} (${words})`, `${got.toFixed(0)} B/s`, '', 'ceiling of block 4096', `${ceiling.toFixed(0)} B/s`, (got / ceiling).toFixed(2)], ...waits.map(([what, took]): Row => [`${name}: ${what} meanwhile`, took, '', '', '', ''])];
  } finally {
    await place.stop();
  }
}

/** Bytes of the pipe a second that come in while a clone runs. */
async function measureGoodput(place: Place, ended: Promise<unknown>, kilobytes: number): Promise<number> {
  let hasEnded = false;
  void ended.finally(() => (hasEnded = true));
  const received = async (): Promise<number> => (await place.b.status()).peers[0]?.carrier?.received ?? 0;
  const first = await received();
  let mark: { readonly at: number; readonly bytes: number } | undefined;
  for (const until = performance.now() + GIVE_UP_MS; performance.now() < until && !hasEnded; await pause(LOOK_MS)) {
    const [bytes, at] = [await received(), performance.now()];
    if (mark === undefined && bytes - first > kilobytes * 1000 * 0.7 * BURST_SECONDS) mark = { at, bytes };
    if (mark !== undefined && at - mark.at > MEASURED_SECONDS * 1000) return ((bytes - mark.bytes) / (at - mark.at)) * 1000;
  }
  throw new Error(hasEnded ? 'the clone ended before it could be measured' : `too little came in within ${GIVE_UP_MS / 1000} s`);
}

/** What a person waits for while the clone goes on: an answer of the agent, and a one-line commit in another repository. */
async function measureWaits({ a, b }: Place, notes: string): Promise<readonly (readonly [string, string])[]> {
  const asked = performance.now();
  await b.xmpp('status');
  const answered = performance.now() - asked;
  const oid = await a.commit(notes, { 'line.txt': 'one line\n' }, 'one line');
  const start = performance.now();
  const arrived = await b.head(b.path('notes'), oid, 60_000).then(
    () => ms(performance.now() - start),
    () => 'more than 60 s',
  );
  return [['git xmpp status', ms(answered)], ['a one-line commit of another repository', arrived]];
}

/** Bytes of a stanza with a full block of 4096, from one that the server saw, whatever its block was. */
function blockStanza(log: string): number {
  const blocks = log.split('\n').flatMap((line) => {
    const [, xml = ''] = /^c2s\t[^\t]*\t(<iq.*<data .*)$/.exec(line) ?? [];
    const [, text = ''] = /<data [^>]*>([^<]*)</.exec(xml) ?? [];
    return text === '' ? [] : [xml.length - text.length];
  });
  if (blocks.length === 0) throw new Error('the server saw no block');
  return BLOCK_BASE64 + Math.max(...blocks);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
