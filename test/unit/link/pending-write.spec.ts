import { describe, expect, it } from 'vitest';
import { PendingWrite } from '../../../src/link/pending-write.ts';
import { parseLinkId } from '../../../src/pipe/frame-format.ts';
import { PipeMachine } from '../../../src/pipe/pipe-machine.ts';

function machineWith(replayBytes: number): PipeMachine {
  return new PipeMachine({ role: 'listener', linkId: parseLinkId('00'.repeat(16)), replayBytes });
}

describe('PendingWrite', () => {
  it('hands over all parts in order where there is room', () => {
    const machine = machineWith(100);
    const attachment = machine.attach({ kind: 'direct', sid: 'x' }, 0);
    const write = new PendingWrite([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)], () => undefined);
    expect(write.writeTo(machine, 0)).toBe(true);
    expect([...machine.takeOutgoing(attachment, 100, 0)].slice(-3)).toEqual([1, 2, 3]);
  });

  it('goes on in the middle of a part when there is room again', () => {
    const machine = machineWith(3);
    const attachment = machine.attach({ kind: 'direct', sid: 'x' }, 0);
    const write = new PendingWrite([Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5)], () => undefined);
    expect(write.writeTo(machine, 0)).toBe(false);
    expect([...machine.takeOutgoing(attachment, 100, 0)].slice(-3)).toEqual([1, 2, 3]);
    machine.receive(attachment, Uint8Array.of(3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3), 0);
    expect(write.writeTo(machine, 0)).toBe(true);
    expect([...machine.takeOutgoing(attachment, 100, 0)].slice(-2)).toEqual([4, 5]);
  });
});
