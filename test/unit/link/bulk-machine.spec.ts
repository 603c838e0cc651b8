// The order in which bodies enter HTTP/2, with the pipe's part played.

import { describe, expect, it } from 'vitest';
import { BulkMachine, MAX_ALLOWANCE, PIECE_BYTES, SLOW_PIECE_BYTES } from '../../../src/link/bulk-machine.ts';

const [bulk, other, small] = [{ name: 'bulk' }, { name: 'other' }, { name: 'small' }];
const MANY = 1 << 30;

/** A pipe that the spec empties, and streams in it. */
class Setting {
  readonly machine = new BulkMachine();
  now = 0;
  unsent = 0;
  sent = 0;
  readonly entered: { readonly stream: object; readonly bytes: number }[] = [];

  /** Lets in all that may enter, and says how much that was. */
  pump(): number {
    let sum = 0;
    for (;;) {
      const grant = this.machine.next({ unsent: this.unsent, sent: this.sent }, this.now);
      if (grant === undefined) return sum;
      this.entered.push(grant);
      this.unsent += grant.bytes;
      sum += grant.bytes;
    }
  }

  /** The carrier takes all that is there, `ms` later. */
  drain(ms: number): void {
    this.now += ms;
    this.sent += this.unsent;
    this.unsent = 0;
    this.machine.taken(this.sent, this.now);
  }

  open(stream: object, bytes = 0): void {
    this.machine.opened(stream, this.now);
    this.machine.want(stream, bytes);
  }

  /** A stream that has become bulk on a path where a piece takes `pieceMs`. */
  openBulk(stream: object, pieceMs: number): void {
    this.open(stream, MANY);
    for (let carried = this.pump(); carried < 70_000; carried += this.pump()) this.drain(pieceMs);
    this.drain(pieceMs);
  }
}

describe('BulkMachine', () => {
  it('lets small bodies in at once, whatever the pipe holds', () => {
    const setting = new Setting();
    setting.unsent = 1_000_000;
    setting.open(small, 500);
    setting.open(other, 8192);
    setting.pump();
    expect(setting.entered).toEqual([{ stream: small, bytes: 500 }, { stream: other, bytes: 8192 }]);
  });

  it('lets bulk into an empty pipe only, piece by piece on a slow path', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    expect(setting.pump()).toBe(PIECE_BYTES);
    expect(setting.pump()).toBe(0);
    setting.unsent = 1;
    expect(setting.pump()).toBe(0);
    setting.drain(570);
    expect(setting.pump()).toBe(PIECE_BYTES);
  });

  it('cuts its pieces smaller where one would take a second', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 1900);
    expect(setting.pump()).toBe(SLOW_PIECE_BYTES);
    setting.drain(950);
    expect(setting.pump()).toBe(SLOW_PIECE_BYTES);
  });

  it('leaves them whole under ten kilobytes a second, though the server takes them by jerks', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 1000);
    expect(setting.pump()).toBe(PIECE_BYTES);
    setting.drain(570);
    expect(setting.pump()).toBe(PIECE_BYTES);
  });

  it('lets in more and more where it leaves at once, so that a fast path is never dry', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 0);
    for (let turn = 0; turn < 12; turn += 1) {
      setting.pump();
      setting.drain(1);
    }
    expect(setting.machine.allowance).toBe(MAX_ALLOWANCE);
    setting.pump();
    setting.unsent = MAX_ALLOWANCE / 2;
    expect(setting.pump()).toBe(MAX_ALLOWANCE / 2);
  });

  it('keeps about twenty milliseconds in the pipe where the rate lies between', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 1);
    const rate = 2000;
    for (let turn = 0; turn < 50; turn += 1) {
      setting.pump();
      setting.drain(setting.unsent / rate);
    }
    expect(setting.machine.allowance).toBeGreaterThan(10 * rate);
    expect(setting.machine.allowance).toBeLessThan(41 * rate);
  });

  it('falls back to a piece as soon as a large allowance has taken long', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 0);
    for (let turn = 0; turn < 12; turn += 1) {
      setting.pump();
      setting.drain(1);
    }
    setting.pump();
    setting.drain(200_000);
    expect(setting.machine.allowance).toBeLessThanOrEqual(PIECE_BYTES);
  });

  it('begins anew with a piece on another carrier', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 0);
    setting.pump();
    setting.drain(0);
    setting.machine.restart();
    expect(setting.machine.allowance).toBe(PIECE_BYTES);
  });

  it('gives streams of one kind their turn one after the other', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    setting.openBulk(other, 570);
    setting.now += 10_000;
    setting.entered.length = 0;
    for (let turn = 0; turn < 4; turn += 1) {
      setting.pump();
      setting.drain(570);
    }
    const turns = setting.entered.map(({ stream }) => stream);
    expect(turns).toEqual(turns[0] === bulk ? [bulk, other, bulk, other] : [other, bulk, other, bulk]);
  });

  it('lets a stream in before bulk until it has carried 64 KiB', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    setting.open(other, MANY);
    setting.entered.length = 0;
    let carried = 0;
    while (carried < 64 * 1024) {
      setting.pump();
      setting.drain(100);
      carried = setting.entered.reduce((sum, { bytes }) => sum + bytes, 0);
    }
    expect(new Set(setting.entered.map(({ stream }) => stream))).toEqual(new Set([other]));
  });

  it('lets bulk wait while an interactive stream is open, and a moment longer', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    setting.open(small);
    setting.now += 1000;
    expect(setting.pump()).toBe(0);
    setting.machine.closed(small, setting.now);
    expect(setting.pump()).toBe(0);
    expect(setting.machine.nextWakeup(setting.now)).toBe(setting.now + 300);
    setting.now += 300;
    expect(setting.pump()).toBe(PIECE_BYTES);
  });

  it('lets bulk wait five seconds for it and no longer', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    setting.open(small);
    const since = setting.now;
    expect(setting.pump()).toBe(0);
    expect(setting.machine.nextWakeup(setting.now)).toBe(since + 5000);
    setting.now = since + 5000;
    expect(setting.pump()).toBe(PIECE_BYTES);
    setting.drain(570);
    expect(setting.pump()).toBe(PIECE_BYTES);
  });

  it('lets bulk go on every five seconds even where one small stream follows the other', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 570);
    setting.entered.length = 0;
    for (let second = 0; second < 60; second += 1) {
      const key = { second };
      setting.open(key);
      setting.pump();
      setting.drain(1000);
      setting.machine.closed(key, setting.now);
    }
    expect(setting.entered.length).toBeGreaterThanOrEqual(11);
    expect(setting.entered.length).toBeLessThanOrEqual(13);
  });

  it('lets bulk wait for nobody on a fast path', () => {
    const setting = new Setting();
    setting.openBulk(bulk, 1);
    setting.open(small);
    expect(setting.pump()).toBeGreaterThan(0);
  });

  it('forgets a stream that is over, with what it wanted', () => {
    const setting = new Setting();
    setting.open(small, 100);
    setting.machine.closed(small, 0);
    setting.machine.want(small, 100);
    expect(setting.pump()).toBe(0);
    expect(setting.machine.nextWakeup(0)).toBeUndefined();
  });
});
