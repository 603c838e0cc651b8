import { describe, expect, it } from 'vitest';
import { Showing } from '../../../src/agent/pair-show.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { makeCode, secretOfCode } from '../../../src/pairing/words.ts';
import type { Connection } from '../../../src/xmpp/connection.ts';
import { SHOWER_CARD } from '../../helpers/pairing.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const secret = secretOfCode(makeCode(1, new Uint8Array(4)));
const card = SHOWER_CARD;

function connection(): Connection {
  return { jid: parseFullJid('romeo@localhost/git-xmpp-aaaaaaaa'), isOpen: true, iq: () => Promise.resolve(undefined), handleIq: () => () => undefined } as unknown as Connection;
}

describe('showing a code', () => {
  it('waits for the first sign-in to be through', async () => {
    const showing = new Showing(new VirtualClock(), (size) => new Uint8Array(size));
    const shown = showing.show(secret, card, () => undefined);
    await showing.attach(connection());
    expect(await shown).toBe(true);
    expect(showing.isShown(secret.id)).toBe(true);
  });

  it('says that the agent still signs in where that takes too long', async () => {
    const clock = new VirtualClock();
    const shown = new Showing(clock, (size) => new Uint8Array(size)).show(secret, card, () => undefined);
    shown.catch(() => undefined);
    clock.advance(15_000);
    await expect(shown).rejects.toMatchObject({ code: 'not-connected', message: expect.stringContaining('still signing in') });
  });
});
