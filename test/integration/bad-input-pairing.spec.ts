// Codes that are garbled, spent, guessed or of another version, and a server on which no code can be shown.
// Rule: both ends say in one sentence what happened; nobody becomes a peer but by the code that is shown.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { startChatClient } from '../helpers/chat-client.ts';
import type { ChatClient } from '../helpers/chat-client.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ongoing } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PASSWORD = 'correct-horse';
const NS_PAIR = 'urn:git-xmpp:pair:1';

let server: Prosody;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  server = await startProsody({ accounts: { romeo: PASSWORD } });
  laptop = await new Device('laptop').prepare();
  desktop = await new Device('desktop').prepare();
  await Promise.all([laptop, desktop].map((device) => device.login(server, 'romeo', PASSWORD)));
});

afterAll(async () => {
  await laptop?.remove();
  await desktop?.remove();
  await server?.stop();
});

/** Shows a code on the laptop. */
async function showCode(): Promise<{ readonly shown: Ongoing; readonly code: string; readonly wrong: string }> {
  const shown = laptop.start('git-xmpp', ['pair']);
  const code = (await shown.line(/^git xmpp pair \d/)).split(' ')[3] ?? '';
  const [number, first] = code.split('-');
  // The words are other ones, whatever they were.
  const wrong = first === 'zebra' ? `${number}-cross-clock` : `${number}-zebra-zebra`;
  return { shown, code, wrong };
}

/** Ends a `pair` that waits, as Ctrl-C does. */
async function giveUp(shown: Ongoing): Promise<void> {
  shown.child.kill('SIGINT');
  await shown.ended;
}

/** A program of the same account that speaks as it likes. */
async function startStranger(resource: string): Promise<ChatClient> {
  const stranger = await startChatClient(server, { name: 'romeo', password: PASSWORD, resource });
  onTestFinished(() => stranger.close());
  return stranger;
}

async function eventsOf(device: Device): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of device.client.lines('GET', '/events')) events.push(event as AgentEvent);
  return events;
}

describe('a code', () => {
  it('is shown by an agent that has to start and sign in first', async () => {
    await laptop.stop();
    const { shown, code } = await showCode();
    expect(code).toMatch(/^\d+-[a-z]+-[a-z]+$/);
    await giveUp(shown);
  });

  it('that is garbled is named with what it should be, and costs nothing', async () => {
    const { shown } = await showCode();
    for (const [garbled, words] of [
      ['xyzzy', /code: "xyzzy" is not a number and two words, such as 4-cross-clock/],
      ['1-cros-clokc', /code: "clokc" is none of the words that codes are made of\n\s+did you mean "clock"\?/],
      ['0-cross-clock', /code: begins with "0" instead of a number from 1 to 9999/],
      ['1-cross-clock-clock', /is not a number and two words/],
      [`1-cross-${'clock'.repeat(20)}`, /is longer than 100 characters/],
    ] as const) {
      const end = await desktop.run('git-xmpp', ['pair', garbled]);
      expect(end.code).toBe(1);
      expect(end.stderr).toMatch(words);
    }
    expect(shown.child.exitCode).toBeNull();
    expect((await eventsOf(laptop)).filter(({ type }) => type === 'pair-attempt')).toEqual([]);
    await giveUp(shown);
  });

  it('is understood in capitals, with spaces and with its words cut to four letters', async () => {
    const { shown, code } = await showCode();
    const [number = '', ...words] = code.split('-');
    const end = await desktop.run('git-xmpp', ['pair', [number, ...words.map((word) => word.slice(0, 4).toUpperCase())].join(' ')]);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await shown.ended).toMatchObject({ code: 0 });
  });

  it('of a number that nobody shows, or that its own device shows, pairs nobody', async () => {
    const nobody = await desktop.run('git-xmpp', ['pair', '77-cross-clock']);
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toMatch(/no device of romeo@localhost shows code number 77\n\s+run "git xmpp pair" there/);
    const { shown, code } = await showCode();
    const own = await laptop.run('git-xmpp', ['pair', code]);
    expect(own.code).toBe(2);
    expect(own.stderr).toMatch(/this device shows that code itself\n\s+type it on the other device/);
    await giveUp(shown);
  });

  it('that was used is gone: the next who types it is told so, and the pairing stands', async () => {
    const tablet = await new Device('tablet').prepare();
    onTestFinished(() => tablet.remove());
    await tablet.login(server, 'romeo', PASSWORD);
    const { shown, code } = await showCode();
    expect(await desktop.run('git-xmpp', ['pair', code])).toMatchObject({ code: 0 });
    expect(await shown.ended).toMatchObject({ code: 0 });
    const second = await tablet.run('git-xmpp', ['pair', code]);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/no device of romeo@localhost shows code number 1/);
    expect((await laptop.status()).peers.map(({ petname }) => petname)).toEqual(['desktop']);
    expect((await tablet.status()).peers).toEqual([]);
    const again = await pairDevices(laptop, desktop);
    expect(again.typed, again.typed.stderr).toMatchObject({ code: 0 });
    expect((await laptop.status()).peers.map(({ petname }) => petname)).toEqual(['desktop']);
  });
});

describe('a pairing of another version', () => {
  it('that asks is refused as newer, both are told, and the code still works', async () => {
    const { shown, code } = await showCode();
    const [number] = code.split('-');
    const stranger = await startStranger('newer');
    const { account } = await laptop.status();
    const hello = `<pair xmlns='${NS_PAIR}' step='hello' version='2' id='${number}' kem='?'/>`;
    stranger.send(`<iq type='set' id='newer' to='${account.address}'>${hello}</iq>`);
    const [answer] = await stranger.waitFor(/<iq [^>]*id='newer'[^]*?<\/iq>/);
    expect(answer).toMatch(/<not-acceptable[^]*<newer-version xmlns='urn:git-xmpp:pair:1'/);
    expect(await shown.line(/newer version/)).toContain(stranger.jid);
    const end = await desktop.run('git-xmpp', ['pair', code]);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await shown.ended).toMatchObject({ code: 0 });
  });

  it('that answers is not gone on with, and the one who typed is told what to update', async () => {
    const stranger = await startStranger('newer-shower');
    const item = `<item id='current'><pair xmlns='${NS_PAIR}' id='5' jid='${stranger.jid}'/></item>`;
    const publish = `<publish node='${NS_PAIR}:5'>${item}</publish>`;
    stranger.send(`<iq type='set' id='show'><pubsub xmlns='http://jabber.org/protocol/pubsub'>${publish}</pubsub></iq>`);
    await stranger.waitFor(/<iq [^>]*id='show'/);
    const typed = desktop.start('git-xmpp', ['pair', '5-cross-clock']);
    const [asked] = await stranger.waitFor(/<iq [^>]*type='set'[^>]*>\s*<pair /);
    const { address } = (await desktop.status()).account;
    const id = / id='([^']+)'/.exec(asked)?.[1] ?? '';
    stranger.send(`<iq type='result' id='${id}' to='${address}'><pair xmlns='${NS_PAIR}' step='hello' version='2'><more/></pair></iq>`);
    const end = await typed.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/that device speaks a newer version\n\s+update git-xmpp here/);
  });
});

// After all else that the laptop shows, because three burnt codes keep it from showing more.
describe('a wrong guess', () => {
  it('burns the code and is named on both ends and in the events; three make one wait, or use an invite', async () => {
    const fingerprints = async (): Promise<string[]> => (await laptop.status()).peers.map(({ fingerprint }) => fingerprint);
    const before = await fingerprints();
    for (let burnt = 1; burnt <= 3; burnt += 1) {
      const { shown, code, wrong } = await showCode();
      const guess = await desktop.run('git-xmpp', ['pair', wrong]);
      expect(guess.code).toBe(1);
      expect(guess.stderr).toMatch(/wrong code: it is not the one that the other device shows\n\s+run "git xmpp pair" again on the other/);
      const { address = '' } = (await desktop.status()).account;
      const end = await shown.ended;
      expect(end.code).toBe(1);
      expect(end.stderr).toContain(`${address} tried a wrong code, so this one is spent`);
      if (burnt < 3) expect(end.stderr).toMatch(/run "git xmpp pair" again$/m);
      else expect(end.stderr).toMatch(/again in 10 minutes, or run "git xmpp pair --invite"/);
      const burns = (await eventsOf(laptop)).filter(({ type }) => type === 'pair-burnt');
      expect(burns).toHaveLength(burnt);
      expect(burns.at(-1)).toMatchObject({ by: address });
      expect(await desktop.run('git-xmpp', ['pair', code])).toMatchObject({ code: 1 });
    }
    const fourth = await laptop.run('git-xmpp', ['pair']);
    expect(fourth.code).toBe(1);
    expect(fourth.stderr).toContain('3 codes were burnt within ten minutes: somebody may be guessing');
    expect(fourth.stderr).toMatch(/wait \d+ minutes, or run "git xmpp pair --invite"/);
    expect(await fingerprints()).toEqual(before);
    const invite = await laptop.xmpp('pair', '--invite');
    const pasted = await desktop.run('git-xmpp', ['pair', '-'], { input: invite.stdout });
    expect(pasted, pasted.stderr).toMatchObject({ code: 0 });
  });

  it('at an invite burns nothing: the right one still works, once', async () => {
    const invite = (await laptop.xmpp('pair', '--invite')).stdout.trim();
    const last = invite.at(-2) === 'A' ? 'B' : 'A';
    const garbled = await desktop.run('git-xmpp', ['pair', '-'], { input: `${invite.slice(0, -10)}\n` });
    expect(garbled.code).toBe(1);
    expect(garbled.stderr).toMatch(/invite/);
    const wrong = await desktop.run('git-xmpp', ['pair', '-'], { input: `${invite.slice(0, -2)}${last}${invite.at(-1)}\n` });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/no device of romeo@localhost shows such an invite/);
    expect(wrong.stderr).toMatch(/git xmpp pair --invite/);
    const right = await desktop.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    expect(right, right.stderr).toMatchObject({ code: 0 });
    const twice = await desktop.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    expect(twice.code).toBe(1);
    expect(twice.stderr).toMatch(/no device of romeo@localhost shows such an invite/);
  });

  it('is not possible with an invite as an argument, which others could read', async () => {
    const end = await desktop.run('git-xmpp', ['pair', 'git-xmpp:romeo@localhost#abc']);
    expect(end.code).toBe(2);
    expect(end.stderr).toMatch(/seen by every user of this machine\n\s+run "git xmpp pair -"/);
    expect(end.stderr).not.toContain('#abc');
  });
});

describe('a server without personal eventing', () => {
  it('shows no invite and says why, and a code with its own address; what is paired goes on in sync', async () => {
    const notes = await laptop.repo('notes');
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/notes');
    const copy = desktop.path('notes');
    await server.restart({ hasPep: false });
    const isTold = ({ type, words }: AgentEvent): boolean => type === 'no-address-record' && /PEP/.test(words);
    await Promise.all([laptop, desktop].map((device) => device.event(isTold)));
    const invited = await desktop.run('git-xmpp', ['pair', '--invite']);
    expect(invited).toMatchObject({ code: 1, stdout: '' });
    expect(invited.stderr).toMatch(/no personal eventing \(PEP, XEP-0163\)\n\s+ask the server's operator/);
    // A code still works: the line to type says where the device is that shows it.
    const shown = desktop.start('git-xmpp', ['pair']);
    await shown.line(/^git xmpp pair \d+-[a-z]+-[a-z]+ --with romeo@localhost\/git-xmpp-\S+$/);
    await giveUp(shown);
    await laptop.inSync('desktop');
    await desktop.head(copy, await laptop.commit(notes, { 'a.txt': '1\n' }, 'without PEP'));
    await laptop.head(notes, await desktop.commit(copy, { 'b.txt': '2\n' }, 'and back'));
    expect(await desktop.run('git', ['ls-remote', 'xmpp::laptop/notes'])).toMatchObject({ code: 0 });
  });
});
