// What comes in on carriers that others opened, before and after TLS is up.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { createLog } from '../../../src/lib/log.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import { requestJson } from '../../../src/link/services.ts';
import { encodeFrame, PIPE_VERSION } from '../../../src/pipe/frame-format.ts';
import type { Frame } from '../../../src/pipe/frame-format.ts';
import { NEAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { LinkWorld, newLinkId } from '../../helpers/link-world.ts';
import { RawEnd } from '../../helpers/raw-end.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const MALLORY = parseFullJid('mallory@example.org/git-xmpp-m');
const open = (version = PIPE_VERSION): Frame => ({ type: 'open', version, linkId: newLinkId() });
const close = (reason: string): object => ({ type: 'close', reason });
const handlers = { repos: () => Promise.resolve('here') };
const ask = (session: Parameters<typeof requestJson>[0]): Promise<unknown> =>
  requestJson(session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 });

/** A RESUME that nobody signed. */
function forged(linkId = newLinkId(), sid = 'x'): Frame {
  return { type: 'resume', linkId, epoch: 9, role: 'dialler', received: 0, carrier: { kind: 'in-band', sid }, mac: new Uint8Array(32) };
}

describe('Acceptor', () => {
  it('answers a link that is dialled', async () => {
    const world = new LinkWorld({ handlers });
    expect(await ask(await world.session())).toBe('here');
    expect(world.strangers).toEqual([]);
  });

  it('reads an OPEN that comes byte by byte', async () => {
    const world = new LinkWorld({ handlers, carrier: { block: 1, window: 1 } });
    const linkId = newLinkId();
    const raw = new RawEnd(world.open().near);
    for (const byte of encodeFrame({ type: 'open', version: 1, linkId })) raw.send(Uint8Array.of(byte));
    raw.say({ type: 'ping', number: 7 });
    expect(await raw.answer()).toEqual({ type: 'pong', number: 7 });
  });

  it('says that a newer version is newer', async () => {
    const world = new LinkWorld();
    const raw = new RawEnd(world.open().near);
    raw.send(Buffer.concat([encodeFrame(open(PIPE_VERSION + 1))]));
    expect(await raw.answer()).toEqual(close('newer-version'));
  });

  it.each([
    ['nonsense', Uint8Array.of(0xff, 1, 2, 3)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame that is no first one', encodeFrame({ type: 'ping', number: 1 })],
    ['a frame that is too long', Uint8Array.of(1, 0, 1, 0, 0)],
  ])('hangs up on %s', async (_name, bytes) => {
    const world = new LinkWorld();
    const raw = new RawEnd(world.open().near);
    raw.send(bytes);
    await raw.closed();
    expect(raw.heard).toEqual([]);
  });

  it('hangs up on a carrier that says nothing, or only a beginning, for ten seconds', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock });
    const [silent, slow] = [new RawEnd(world.open().near), new RawEnd(world.open().near)];
    slow.send(encodeFrame(open()).subarray(0, 10));
    await clock.pass(9_900);
    expect([silent.isClosed, slow.isClosed]).toEqual([false, false]);
    await clock.pass(200);
    await clock.pass(1);
    await clock.pass(1);
    expect([silent.isClosed, slow.isClosed]).toEqual([true, true]);
  });

  it('has sixteen carriers of an account that say nothing, and hangs up on a seventeenth', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock });
    const start = (from = MALLORY): RawEnd => new RawEnd(world.open({ from }).near);
    const silent = Array.from({ length: 16 }, () => start());
    const [more, other] = [start(), start(parseFullJid('anna@example.org/x'))];
    for (let turn = 0; turn < 10; turn += 1) await clock.pass(1);
    expect([...silent, other, more].map(({ isClosed }) => isClosed)).toEqual([...silent.map(() => false), false, true]);
    expect(world.acceptor.refusals).toBe(1);
    await clock.pass(10_000);
    expect(start().isClosed).toBe(false);
  });

  it('hangs up on a pipe that is not secured within ten seconds', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock });
    const raw = new RawEnd(world.open().near);
    raw.say(open());
    for (let turn = 0; turn < 10; turn += 1) await clock.pass(1);
    raw.say({ type: 'ping', number: 1 });
    for (let turn = 0; turn < 10; turn += 1) await clock.pass(1);
    expect(raw.heard).toEqual([{ type: 'pong', number: 1 }]);
    await clock.pass(10_000);
    for (let turn = 0; turn < 10; turn += 1) await clock.pass(1);
    expect(raw.heard.at(-1)).toEqual(close('gone-away'));
    expect(raw.isClosed).toBe(true);
  });

  it('has eight unsecured pipes of an account, and is busy for a ninth', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock });
    const start = async (from = MALLORY): Promise<RawEnd> => {
      const raw = new RawEnd(world.open({ from }).near);
      raw.say(open());
      for (let turn = 0; turn < 20; turn += 1) await clock.pass(1);
      return raw;
    };
    const eight = await Promise.all(Array.from({ length: 8 }, () => start()));
    expect(eight.map(({ heard }) => heard)).toEqual(eight.map(() => []));
    expect((await start()).heard).toEqual([close('busy')]);
    expect((await start(parseFullJid('mallory@example.org/another'))).heard).toEqual([close('busy')]);
    expect((await start(parseFullJid('anna@example.org/x'))).heard).toEqual([]);
    await clock.pass(11_000);
    expect((await start()).heard).toEqual([]);
  });

  it('ends a pipe that sends more than a handshake takes before it is secured', async () => {
    // No time passes: nothing but its bytes ends it.
    const world = new LinkWorld({ clock: new VirtualClock() });
    const raw = new RawEnd(world.open().near);
    raw.say(open());
    // A ClientHello as long as OpenSSL bears it, in whole records, which never ends (RFC 8446, sections 4 and 5.1).
    const record = Buffer.alloc(5 + 16_000);
    record.set([0x16, 3, 1, 16_000 >> 8, 16_000 & 0xff]);
    const first = Buffer.from(record);
    first.set([1, 1, 0xff, 0xb8], 5);
    let offset = 0;
    for (let count = 0; count < 8 && !raw.isClosed; count += 1) {
      const bytes = count === 0 ? first : record;
      raw.say({ type: 'data', offset, bytes });
      offset += bytes.length;
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.closed();
    expect(offset).toBeLessThan(100_000);
  });

  it('refuses a link id that is taken, and the one who has it goes on', async () => {
    const world = new LinkWorld({ handlers });
    const linkId = newLinkId();
    const link = await world.dial({ linkId });
    const raw = new RawEnd(world.open({ from: MALLORY }).near);
    raw.say({ type: 'open', version: 1, linkId });
    expect(await raw.answer()).toEqual(close('refused'));
    expect(await ask(link.session)).toBe('here');
  });

  it('knows no link that was never made, and lets nobody resume but who has its key', async () => {
    const world = new LinkWorld({ handlers });
    const linkId = newLinkId();
    const link = await world.dial({ linkId });
    const stranger = new RawEnd(world.open().near);
    stranger.say(forged());
    expect(await stranger.answer()).toEqual(close('unknown-link'));
    const pair = world.open();
    const forger = new RawEnd(pair.near);
    forger.say(forged(linkId, pair.near.sid));
    expect(await forger.answer()).toEqual(close('refused'));
    const other = new RawEnd(world.open({ from: MALLORY }).near);
    other.say(forged(linkId));
    expect(await other.answer()).toEqual(close('unknown-link'));
    expect(await ask(link.session)).toBe('here');
    expect(world.resumed).toEqual([]);
  });

  it('refuses a replayed or forged RESUME as often as it comes, tells one line of it, and the link goes on', async () => {
    const lines: string[] = [];
    const world = new LinkWorld({ handlers, log: createLog((line) => lines.push(line), 'info', () => 0) });
    const linkId = newLinkId();
    const link = await world.dial({ linkId });
    const ended = new Promise((resolve) => link.onClose(resolve));
    for (let count = 0; count < 20; count += 1) {
      const pair = world.open();
      const raw = new RawEnd(pair.near);
      raw.say(forged(linkId, pair.near.sid));
      expect(await raw.answer()).toEqual(close('refused'));
    }
    expect(await ask(link.session)).toBe('here');
    expect(world.acceptor.refusals).toBe(20);
    expect(lines.map((line) => line.replace(/^\S+ info /, ''))).toEqual([`refused a carrier why="the MAC is wrong" from=${NEAR_ADDRESS}`]);
    world.acceptor.drop(world.near.device);
    await ended;
    await until(() => lines.length > 1);
    expect(lines.at(-1)).toContain('refused in all on a link that has ended count=20');
  });

  it('ends a link whose peer acknowledges what was never sent, and tells one line of it', async () => {
    const lines: string[] = [];
    const world = new LinkWorld({ handlers, log: createLog((line) => lines.push(line), 'info', () => 0) });
    const raw = new RawEnd(world.open().near);
    raw.say(open());
    raw.say({ type: 'ack', received: 2 ** 32 });
    raw.say({ type: 'ack', received: 2 ** 33 });
    expect(await raw.answer()).toEqual(close('protocol'));
    await raw.closed();
    expect(lines.filter((line) => line.includes('broke the protocol'))).toHaveLength(1);
    expect(lines[0]).toContain('acknowledgement: is beyond what was sent');
  });

  it('hangs up the older of two carriers at once, and takes nothing from it any more', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    const [older] = world.pairs;
    older?.near.fail(new Fault('not-connected', 'only this side knows'));
    await until(() => world.resumed.length === 1);
    await until(() => older?.far.isOver === true);
    expect(await ask(link.session)).toBe('here');
  });

  it('lets no other account resume, though it has the key', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial({ openCarrier: () => Promise.resolve(world.open(world.pairs.length === 0 ? {} : { from: MALLORY }).near) });
    const ended = new Promise<string>((resolve) => link.onClose(({ message }) => resolve(message)));
    world.cut();
    expect(await ended).toBe('the other device knows this link no more');
    expect(world.resumed).toEqual([]);
  });

  it('lets any address of the account resume', async () => {
    const world = new LinkWorld({ handlers });
    const from = parseFullJid('anna@example.org/elsewhere');
    const link = await world.dial({ openCarrier: () => Promise.resolve(world.open(world.pairs.length === 0 ? {} : { from }).near) });
    world.cut();
    expect(await ask(link.session)).toBe('here');
    expect(world.resumed).toHaveLength(1);
  });

  it('takes a device for a stranger that comes from another account', async () => {
    const world = new LinkWorld({ handlers });
    const dialling = world.dial({ openCarrier: () => Promise.resolve(world.open({ from: MALLORY }).near) });
    await expect(dialling).rejects.toMatchObject({ code: 'not-paired' });
    expect(world.strangers.map(({ peer }) => peer)).toEqual([MALLORY]);
  });

  it('writes one line for a stranger that asks again and again, and counts', async () => {
    const lines: string[] = [];
    const world = new LinkWorld({ handlers, log: createLog((line) => lines.push(line), 'info', () => 0) });
    world.paired.clear();
    for (let count = 1; count <= 5; count += 1) {
      await expect(world.dial()).rejects.toMatchObject({ code: 'not-paired' });
      await until(() => world.acceptor.refusals === count);
    }
    expect(world.strangers).toHaveLength(5);
    expect(lines).toEqual([expect.stringContaining('a link was not made')]);
  });

  it('ends the links of a device that was unpaired, and of no other', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    const ended = new Promise((resolve) => link.onClose(resolve));
    world.acceptor.drop(parseDeviceId('f'.repeat(32)));
    expect(await ask(link.session)).toBe('here');
    world.acceptor.drop(world.near.device);
    await ended;
    await expect(ask(link.session)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('takes the newer of two links of one device, for the older was forgotten there', async () => {
    const world = new LinkWorld({ handlers });
    const older = await world.dial();
    const ended = new Promise((resolve) => older.onClose(resolve));
    const newer = await world.dial();
    await ended;
    expect(await ask(newer.session)).toBe('here');
  });

  it('ends every link when it is stopped, with those that are being made', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    const ended = new Promise((resolve) => link.onClose(resolve));
    const raw = new RawEnd(world.open().near);
    raw.say(open());
    raw.say({ type: 'ping', number: 1 });
    await raw.answer();
    world.acceptor.stop();
    await Promise.all([ended, raw.closed()]);
  });

  it('keeps nothing of a link that was closed', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const link = await world.dial();
    const served = once(link.session, 'close');
    const closing = link.close();
    await served;
    await closing;
    await until(() => world.pairs.every(({ near, far }) => near.isOver && far.isOver));
    await clock.pass(0);
    expect(clock.timers).toBe(0);
  });
});
