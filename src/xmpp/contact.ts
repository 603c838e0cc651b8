// Two accounts made contacts, for servers that block strangers (RFC 6121 §3; `pair --contact`). Rule: pre-approval first, so that no
// chat client of either account is shown a request; undone only where pairing made it.

import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { bareOf, domainOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Connection } from './connection-types.ts';
import { attrOf, xml } from './element.ts';
import type { Element } from './element.ts';
import { NS_ROSTER } from './namespaces.ts';
import { StanzaFault } from './stanza-fault.ts';

const DEADLINE_MS = 120_000;

type Roster = Pick<Connection, 'iq' | 'handleIq' | 'sendPresence' | 'jid'>;

/**
 * Approves `jid` in advance, and becomes its contact once it has approved this account.
 * @param role the side that shows a code waits for the other's request; the side that types it asks first
 * @returns whether pairing made the contact, so that unpairing may undo it
 * @throws Fault `timeout` when the other side does nothing of the kind
 */
export async function makeContact(
  connection: Roster,
  jid: BareJid,
  options: { readonly role: 'shower' | 'typer'; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  // Asking for the roster is what makes this resource be told of its changes (RFC 6121 §2.1.6).
  const before = await subscriptionTo(connection, jid);
  if (before === 'both') return false;
  if (options.signal.aborted) throw givenUp();
  const over = new AbortController();
  const approved = waitFor(connection, jid, { ...options, signal: AbortSignal.any([options.signal, over.signal]) });
  // A presence that cannot be sent is what is told.
  approved.catch(() => undefined);
  try {
    await connection.sendPresence(jid, 'subscribed');
    if (options.role === 'typer') await connection.sendPresence(jid, 'subscribe');
    await approved;
    if (options.role === 'shower') await connection.sendPresence(jid, 'subscribe');
    return true;
  } finally {
    over.abort();
  }
}

/** Takes the contact away again. */
export async function removeContact(connection: Pick<Connection, 'iq'>, jid: BareJid): Promise<void> {
  await connection.iq('set', undefined, xml('query', { xmlns: NS_ROSTER }, xml('item', { jid, subscription: 'remove' })));
}

async function subscriptionTo(connection: Pick<Connection, 'iq'>, jid: BareJid): Promise<string | undefined> {
  const roster = await connection.iq('get', undefined, xml('query', { xmlns: NS_ROSTER }));
  return itemOf(roster, jid);
}

/** Resolves when the roster says that the other account is subscribed one way or both. */
function waitFor(
  connection: Roster,
  jid: BareJid,
  { role, clock, signal }: { readonly role: 'shower' | 'typer'; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const wanted = role === 'shower' ? ['from', 'both'] : ['to', 'both'];
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      stop();
      settle();
    };
    const giveUp = (): void => end(() => reject(givenUp()));
    const own = ['', bareOf(connection.jid), connection.jid, domainOf(connection.jid)];
    // First, for it may be refused: of two at once the second one is.
    const stop = connection.handleIq(NS_ROSTER, 'query', ({ from, payload }) => {
      // Only the own account speaks of the own roster (RFC 6121 §2.1.6).
      if (!own.includes(from)) throw new StanzaFault('cancel', 'service-unavailable');
      if (wanted.includes(itemOf(payload, jid) ?? '')) end(resolve);
      return Promise.resolve(undefined);
    });
    const timer = clock.setTimer(DEADLINE_MS, () =>
      end(() => reject(new Fault('timeout', `${jid} did not become a contact`, { remedy: 'run pair with --contact on both sides, the one that shows the code first' }))),
    );
    signal.addEventListener('abort', giveUp);
  });
}

function givenUp(): Fault {
  return new Fault('not-connected', 'pairing was given up');
}

function itemOf(query: Element | undefined, jid: BareJid): string | undefined {
  const item = query?.getChildren('item').find((each) => attrOf(each, 'jid') === jid);
  return item === undefined ? undefined : attrOf(item, 'subscription');
}
