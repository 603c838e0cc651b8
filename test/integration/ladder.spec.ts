// Two real agents that find a better way than in-band, on a real Prosody, and go back when it is lost.

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, pairDevices } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

let server: Prosody;
let a: Device;
let b: Device;
let dir: string;

/** Both links of a peer, once both run on `kind`. */
async function bothOn(device: Device, peer: string, kind: string): Promise<void> {
  await device.statusWhen(({ peers }) => {
    const links = peers.find(({ petname }) => petname === peer)?.links ?? [];
    return links.length === 2 && links.every((link) => link.kind === kind);
  });
}

/** A commit on `from` that has to arrive on `to`. */
async function commitArrives(from: Device, to: Device, dirs: { readonly from: string; readonly to: string }, name: string): Promise<void> {
  const oid = await from.commit(dirs.from, { [name]: `${name}\n` }, name);
  await to.head(dirs.to, oid);
}

async function makePair(gitConfig: string): Promise<void> {
  server = await startProsody({ accounts: { romeo: 'wherefore' }, hasStanzaLog: true });
  a = await new Device('laptop').prepare();
  b = await new Device('desktop').prepare();
  for (const device of [a, b]) await writeFile(device.path('.gitconfig'), `${gitConfig}[user]\n\tname = x\n\temail = x@example.org\n[init]\n\tdefaultBranch = main\n`);
  await a.login(server, 'romeo', 'wherefore');
  await b.login(server, 'romeo', 'wherefore');
  await pairDevices(a, b);
  dir = await a.repo('notes');
  await a.xmpp('share', dir);
  await b.xmpp('clone', 'laptop/notes', b.path('notes'));
  await a.inSync('desktop');
}

async function removePair(): Promise<void> {
  await a.remove();
  await b.remove();
  await server.stop();
}

describe('two agents on one network', () => {
  beforeAll(() => makePair(''));
  afterAll(removePair);

  it('move their links to direct connections by themselves, and say so', async () => {
    await bothOn(a, 'desktop', 'direct');
    await bothOn(b, 'laptop', 'direct');
    const event = await b.event(({ type, words }) => type === 'carrier' && words.startsWith('direct'));
    expect(event).toMatchObject({ peer: 'laptop', words: expect.stringMatching(/^direct \((on this machine|within the local network|over the internet)\) instead of in-band: a better way was found$/) });
    const { stdout } = await a.xmpp('status');
    expect(stdout).toMatch(/desktop {2}online, direct \((loopback|lan|public)\)/);
  });

  it('send no byte of a commit through the server then', async () => {
    const before = server.stanzaLog().length;
    await commitArrives(a, b, { from: dir, to: b.path('notes') }, 'direct.txt');
    expect(server.stanzaLog().slice(before)).not.toContain('http://jabber.org/protocol/ibb');
  });

  it('go on while the server is away', async () => {
    await server.away(async () => {
      await commitArrives(a, b, { from: dir, to: b.path('notes') }, 'without.txt');
      await commitArrives(b, a, { from: b.path('notes'), to: dir }, 'and-back.txt');
    });
  });
});

describe('two agents that may not connect directly', () => {
  beforeAll(() => makePair('[xmpp]\n\tdirect = false\n'));
  afterAll(removePair);

  it("use the server's proxy, and offer no address of theirs", async () => {
    await bothOn(a, 'desktop', 'socks5');
    await bothOn(b, 'laptop', 'socks5');
    const offers = server.stanzaLog().split('\n').filter((line) => line.includes('<streamhost '));
    expect(offers.length).toBeGreaterThan(0);
    for (const offer of offers) expect(offer).not.toMatch(/<streamhost [^>]*jid='romeo@/);
  });

  it('sync through it', async () => {
    await commitArrives(a, b, { from: dir, to: b.path('notes') }, 'proxied.txt');
    await commitArrives(b, a, { from: b.path('notes'), to: dir }, 'back.txt');
  });
});
