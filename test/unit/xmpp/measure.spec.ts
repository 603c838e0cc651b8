import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { measureInBand, measureSkew, tryPep } from '../../../src/xmpp/measure.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';

const JID = parseFullJid('romeo@example.org/doctor');

/** A server on a clock of its own that takes `msFor` each stanza, one after the other. */
function makeStream(msFor: (payload: Element) => number, answer: (payload: Element, at: number) => Element | undefined = () => undefined) {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, setTimer: () => ({ cancel: () => undefined }) };
  const sent: Element[] = [];
  const handled: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const stream = {
    jid: JID,
    handleIq: (_namespace: string, name: string) => {
      handled.push(name);
      return () => void handled.pop();
    },
    iq: (_type: 'get' | 'set', _to: string | undefined, payload: Element): Promise<Element | undefined> => {
      sent.push(payload);
      const turn = last.then(() => {
        now += msFor(payload);
        return answer(payload, now);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
  };
  return { stream, clock, sent, handled };
}

const isBlock = (payload: Element): boolean => payload.name === 'block';

describe('measureInBand', () => {
  it('sends little where the server throttles, and tells the rate of the second half', async () => {
    // 10 000 bytes a second, as Prosody lets in by default.
    const { stream, clock, sent, handled } = makeStream((payload) => (isBlock(payload) ? 570 : 20));
    const measured = await measureInBand(stream, clock);
    expect(measured.delayMs).toBe(20);
    expect(measured.rate).toBe(Math.round(4096 / 0.57));
    expect(sent.filter(isBlock).length).toBeLessThanOrEqual(16);
    expect(measured.loadedMs).toBeGreaterThan(570);
    expect(handled).toEqual([]);
  });

  it('is not deceived by a burst that is let through at first', async () => {
    let count = 0;
    const { stream, clock } = makeStream((payload) => (isBlock(payload) && ++count > 4 ? 1_900 : 1));
    expect((await measureInBand(stream, clock)).rate).toBeLessThan(3_000);
  });

  it('stops at a quarter of a megabyte where nothing holds it back', async () => {
    const { stream, clock, sent } = makeStream((payload) => (isBlock(payload) ? 1 : 0));
    expect(await measureInBand(stream, clock)).toMatchObject({ bytes: 262_144, rate: 4_096_000, delayMs: 0 });
    expect(sent.filter(isBlock)).toHaveLength(64);
  });

  it('takes a refused ping for an answer, and a lost connection for none', async () => {
    const refusing = makeStream(() => 5, (payload) => {
      if (payload.name === 'ping') throw new StanzaFault('cancel', 'service-unavailable');
      return undefined;
    });
    expect(await measureInBand(refusing.stream, refusing.clock)).toMatchObject({ delayMs: 5 });
    const lost = makeStream(() => 5, () => {
      throw new Fault('not-connected', 'it is gone');
    });
    await expect(measureInBand(lost.stream, lost.clock)).rejects.toMatchObject({ code: 'not-connected' });
    expect(lost.handled).toEqual([]);
  });
});

describe('measureSkew', () => {
  const told = (utc: string) => (): Element => xml('time', { xmlns: 'urn:xmpp:time' }, xml('tzo', {}, 'Z'), xml('utc', {}, utc));

  it('compares with the middle of the round trip', async () => {
    const { stream, clock } = makeStream(() => 40, (_payload, at) => told(new Date(at + 90_000).toISOString())());
    expect(await measureSkew(stream, clock)).toEqual({ aheadMs: 90_020, withinMs: 520 });
  });

  it('says nothing of a server that does not tell, and refuses nonsense', async () => {
    const silent = makeStream(() => 1, () => {
      throw new StanzaFault('cancel', 'service-unavailable');
    });
    expect(await measureSkew(silent.stream, silent.clock)).toBeUndefined();
    const wrong = makeStream(() => 1, told('half past nine'));
    await expect(measureSkew(wrong.stream, wrong.clock)).rejects.toMatchObject({ code: 'bad-input' });
  });
});

describe('tryPep', () => {
  it('takes its item away again, also where it did not come back', async () => {
    const { stream, sent } = makeStream(() => 1);
    await expect(tryPep(stream, 'romeo@example.org' as Parameters<typeof tryPep>[1], 'mark')).rejects.toMatchObject({ code: 'server' });
    expect(sent.at(-1)?.getChild('delete')?.attrs['node']).toBe('urn:git-xmpp:doctor:1#mark');
  });
});
