import { describe, expect, it } from 'vitest';
import { parseBareJid, parseFullJid } from '../../../src/lib/jid.ts';
import type { IqHandler } from '../../../src/xmpp/connection.ts';
import { makeContact } from '../../../src/xmpp/contact.ts';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { NS_ROSTER } from '../../../src/xmpp/namespaces.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const OWN = parseFullJid('anna@localhost/git-xmpp-aaaaaaaa');
const BEN = parseBareJid('ben@two.example');

function roster(subscription: string): Element {
  return xml('query', { xmlns: NS_ROSTER }, xml('item', { jid: BEN, subscription }));
}

type Roster = Parameters<typeof makeContact>[0];

/** A connection whose roster has no subscription, and on which all goes well but for what `changes` says. */
function connected(changes: Partial<Roster>): Roster {
  return { jid: OWN, iq: () => Promise.resolve(roster('none')), handleIq: () => () => undefined, sendPresence: () => Promise.resolve(), ...changes };
}

/** Waits for Ben's approval; `push` is a change of the roster as somebody tells it. */
function waiting(): { made: Promise<boolean>; said: string[]; clock: VirtualClock; push: (from: string, subscription: string) => Promise<unknown> } {
  const clock = new VirtualClock();
  const said: string[] = [];
  let handler: IqHandler | undefined;
  const connection = connected({
    handleIq: (_namespace, _name, given) => ((handler = given), () => void (handler = undefined)),
    sendPresence: (to, type) => (said.push(`${type} ${to}`), Promise.resolve()),
  });
  const made = makeContact(connection, BEN, { role: 'typer', clock, signal: new AbortController().signal });
  made.catch(() => undefined);
  const push = async (from: string, subscription: string): Promise<unknown> => {
    await expect.poll(() => said).toContain(`subscribe ${BEN}`);
    return handler?.({ type: 'set', from, id: '1', payload: roster(subscription) });
  };
  return { made, said, clock, push };
}

describe('makeContact', () => {
  it('refuses a second try beside one that still waits, and nothing of it goes off later', async () => {
    const clock = new VirtualClock();
    const connection = connected({
      handleIq: () => {
        throw new Error('two handlers for query jabber:iq:roster');
      },
    });
    await expect(makeContact(connection, BEN, { role: 'shower', clock, signal: new AbortController().signal })).rejects.toThrow('two handlers');
    clock.advance(240_000);
    expect(clock.timers).toBe(0);
  });

  it('tells of a presence that could not be sent, and of nothing else later', async () => {
    const clock = new VirtualClock();
    let handlers = 0;
    const connection = connected({
      handleIq: () => ((handlers += 1), () => void (handlers -= 1)),
      sendPresence: () => Promise.reject(new Error('the connection was lost')),
    });
    await expect(makeContact(connection, BEN, { role: 'shower', clock, signal: new AbortController().signal })).rejects.toThrow('was lost');
    expect([handlers, clock.timers]).toEqual([0, 0]);
  });

  it('asks nobody for anything once it was given up while the roster was asked for', async () => {
    const over = new AbortController();
    const said: string[] = [];
    const connection = connected({
      iq: () => (over.abort(), Promise.resolve(roster('none'))),
      handleIq: () => (said.push('handler'), () => undefined),
      sendPresence: (to, type) => (said.push(`${type} ${to}`), Promise.resolve()),
    });
    await expect(makeContact(connection, BEN, { role: 'typer', clock: new VirtualClock(), signal: over.signal })).rejects.toMatchObject({ code: 'not-connected' });
    expect(said).toEqual([]);
  });

  it('lets go of the roster when it is given up, once', async () => {
    const over = new AbortController();
    let handlers = 0;
    const connection = connected({ handleIq: () => ((handlers += 1), () => void (handlers -= 1)) });
    const made = makeContact(connection, BEN, { role: 'typer', clock: new VirtualClock(), signal: over.signal });
    made.catch(() => undefined);
    await expect.poll(() => handlers).toBe(1);
    over.abort();
    await expect(made).rejects.toMatchObject({ code: 'not-connected' });
    expect(handlers).toBe(0);
  });

  it.each(['anna@localhost', OWN, 'localhost', ''])('takes the word of the own account on its roster: from %j', async (from) => {
    const { made, push } = waiting();
    await push(from, 'to');
    expect(await made).toBe(true);
  });

  it.each(['ben@two.example', 'ben@two.example/git-xmpp-bbbbbbbb', 'two.example', 'anna@localhost.evil.example'])('takes nobody else’s: from %s', async (from) => {
    const { made, clock, push } = waiting();
    await expect(push(from, 'both')).rejects.toMatchObject({ condition: 'service-unavailable' });
    clock.advance(120_000);
    await expect(made).rejects.toMatchObject({ code: 'timeout' });
  });
});
