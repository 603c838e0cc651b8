import { describe, expect, it } from 'vitest';
import { OWN, signInAtFake } from '../../helpers/fake-session.ts';
import { quiet, until } from '../../helpers/waiting.ts';

describe('StreamSocket', () => {
  it('reads no more from a server that asks without end and takes no answer, and goes on once it does', async () => {
    let asked = 0;
    const { stream, connection } = await signInAtFake({ trace: (direction) => void (asked += direction === 'in' ? 1 : 0) });
    const { socket } = stream;
    let taken = 0;
    socket.pause().removeAllListeners('data');
    const question = (id: number): string => `<iq type='get' from='x@y/z' to='${OWN}' id='${'n'.repeat(32_000)}${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;
    const all = 1_500;
    for (let id = 0; id < all; id += 1) stream.send(question(id));
    await quiet(() => asked);
    // 48 MB were asked; what the kernel holds is none of ours.
    expect(asked).toBeLessThan(all * 0.8);
    socket.on('data', (bytes: Buffer) => void (taken += bytes.length)).resume();
    await until(() => taken > all * 32_000);
    expect(connection.isOpen).toBe(true);
  });
});
