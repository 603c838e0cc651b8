// A paired device that speaks a newer version of the protocol (docs/PROTOCOL.md). Rule: it is refused by its
// version, in words that say which side to update, and what both have stays as it is.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { loadIdentity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { requestJson } from '../../src/link/services.ts';
import { encodeFrame } from '../../src/pipe/frame-format.ts';
import type { Device } from '../helpers/device.ts';
import { newLinkId } from '../helpers/link-world.ts';
import { playDevice } from '../helpers/played-device.ts';
import type { Played, PlayedDevice } from '../helpers/played-device.ts';
import { RawEnd } from '../helpers/raw-end.ts';
import { ACCOUNT, PASSWORD, shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const NEWER = { version: 2, repos: { perhaps: 'of another form' }, more: true };
const DEADLINE = { clock: realClock, deadlineMs: 10_000 };

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let refs: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes } = await shareNotes(setting));
  await laptop.inSync('desktop');
  await desktop.stop();
  refs = await laptop.git(notes, 'for-each-ref');
});

afterAll(() => setting?.stop());

/** The desktop, of a version to come. */
async function play(handlers: Played['handlers'] = {}): Promise<{ readonly newer: PlayedDevice; readonly address: FullJid }> {
  const newer = await playDevice(desktop, { server: setting.server, account: ACCOUNT, password: PASSWORD, handlers });
  onTestFinished(() => newer.stop());
  return { newer, address: parseFullJid((await laptop.status()).account.address ?? '') };
}

describe('a peer of a newer version', () => {
  it('that asks for a comparison is told which side to update, and so is the person here', async () => {
    const { newer, address } = await play();
    const { spki } = await loadIdentity(findHome(laptop.env), { name: 'laptop' });
    const { session } = await newer.dial(address, spki);
    const asked = requestJson(session, { method: 'POST', path: '/digest', body: NEWER }, DEADLINE);
    const message = 'that device speaks only protocol version 1, this one 2: update git-xmpp there';
    await expect(asked).rejects.toMatchObject({ code: 'newer-protocol', message });
    const event = await laptop.event(({ type }) => type === 'newer-version');
    expect(event).toMatchObject({ peer: 'desktop', code: 'newer-protocol' });
    expect(event.words).toBe('desktop speaks protocol version 2, this device only 1: update git-xmpp here');
    expect(await laptop.git(notes, 'for-each-ref')).toBe(refs);
  });

  it('that answers a comparison so is not synced with, and the event says what to do', async () => {
    const { newer, address } = await play({ digest: () => Promise.resolve(NEWER) });
    await newer.hello(address);
    await laptop.xmpp('sync');
    const event = await laptop.event(({ type }) => type === 'contact-failed');
    expect(event).toMatchObject({ peer: 'desktop', code: 'newer-protocol' });
    expect(event.words).toBe('desktop speaks protocol version 2, this device only 1: update git-xmpp here');
    expect((await laptop.status()).peers).toMatchObject([{ petname: 'desktop', isOnline: false }]);
    expect(await laptop.git(notes, 'for-each-ref')).toBe(refs);
  });

  it('that opens a pipe so is told in the pipe’s own words', async () => {
    const { newer, address } = await play();
    const end = new RawEnd(await newer.inBand.open(address));
    end.send(encodeFrame({ type: 'open', version: 2, linkId: newLinkId() }));
    await expect.poll(() => end.heard).toEqual([{ type: 'close', reason: 'newer-version' }]);
    await laptop.xmpp('status');
  });

  it('is no trouble any more once it speaks ours', async () => {
    await desktop.xmpp('daemon', 'start');
    await desktop.head(desktop.path('notes'), await laptop.commit(notes, { 'a.txt': 'a\n' }, 'of one version'));
    await laptop.inSync('desktop');
    expect((await laptop.xmpp('peers')).stdout).toMatch(/^desktop .* online/m);
  });
});
