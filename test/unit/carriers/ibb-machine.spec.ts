// One stream of XEP-0047 with no connection: numbers, order, bounds.

import { describe, expect, it } from 'vitest';
import { IbbMachine } from '../../../src/carriers/ibb-machine.ts';

describe('IbbMachine', () => {
  it('numbers its blocks from 0 and begins again after 65535', () => {
    const machine = new IbbMachine(4096);
    const seqs = Array.from({ length: 65_538 }, (_, at) => {
      const block = machine.send(1, at);
      machine.acknowledge(block, at);
      return block.seq;
    });
    expect(seqs.slice(0, 3)).toEqual([0, 1, 2]);
    expect(seqs.slice(65_534)).toEqual([65_534, 65_535, 0, 1]);
  });

  it('takes blocks numbered from 0, and 0 after 65535', () => {
    const machine = new IbbMachine(4096);
    for (let count = 0; count < 65_537; count += 1) {
      expect(machine.receive(count % 65_536, 1)).toBeUndefined();
      machine.consume(1);
    }
    expect(machine.receive(0, 1)?.condition).toBe('unexpected-request');
  });

  it.each([
    ['used before', 0],
    ['that skips one', 2],
    ['at the far end', 65_535],
  ])('answers a number %s with unexpected-request', (_, seq) => {
    const machine = new IbbMachine(4096);
    machine.receive(0, 1);
    expect(machine.receive(seq, 1)).toMatchObject({ type: 'cancel', condition: 'unexpected-request' });
  });

  it('keeps its own blocks within 4096 bytes in a stream of larger ones', () => {
    expect(new IbbMachine(65_535).room()).toBe(4096);
    expect(new IbbMachine(1024).room()).toBe(1024);
  });

  it('lets 64 KiB wait while nobody has taken the stream, and a mebibyte after', () => {
    const machine = new IbbMachine(8192);
    for (let seq = 0; seq < 8; seq += 1) expect(machine.receive(seq, 8192)).toBeUndefined();
    expect(machine.receive(8, 8192)?.condition).toBe('resource-constraint');
    machine.attach();
    for (let seq = 8; seq < 128; seq += 1) expect(machine.receive(seq, 8192)).toBeUndefined();
    expect(machine.receive(128, 8192)?.condition).toBe('resource-constraint');
    machine.consume(8192);
    expect(machine.receive(128, 8192)).toBeUndefined();
  });

  it('neither sends nor takes while it drains, and is closed only when ended', () => {
    const machine = new IbbMachine(4096);
    machine.drain();
    expect(machine.room()).toBe(0);
    expect(machine.receive(0, 1)?.condition).toBe('item-not-found');
    expect(machine.isClosed).toBe(false);
    machine.end();
    machine.drain();
    expect(machine.isClosed).toBe(true);
  });
});
