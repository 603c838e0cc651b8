// The SOCKS5 proxies that a server offers (XEP-0065 §4; XEP-0030 §3, §4). Rule: whatever a server answers, or does not, the outcome is
// a short list, perhaps an empty one; and a proxy named by a peer is asked itself where it is, before anything connects there.

import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import { domainOf } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Connection } from '../xmpp/connection.ts';
import { attrOf, xml } from '../xmpp/element.ts';
import type { Element } from '../xmpp/element.ts';
import { NS_BYTESTREAMS, NS_DISCO_INFO, NS_DISCO_ITEMS } from '../xmpp/namespaces.ts';
import { formatAddressQuery, isSameHost, parseStreamhostJid, parseStreamhosts } from './bytestreams-format.ts';
import type { Streamhost } from './bytestreams-format.ts';

const STEP_MS = 5000;
/** Items of a server that are looked at, how many are asked at once, and proxies that are kept. */
const MAX_ITEMS = 32;
const ASKED_AT_ONCE = 8;
const MAX_PROXIES = 4;
/** Answers of proxies that are remembered. */
const MAX_KNOWN = 32;

export interface ProxiesOptions {
  readonly connection: Pick<Connection, 'iq' | 'jid'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of proxies for as long as one connection lives. */
export class Proxies {
  readonly #options: ProxiesOptions;
  readonly #known = new Map<string, Promise<readonly Streamhost[]>>();
  #found: Promise<readonly Streamhost[]> | undefined;

  constructor(options: ProxiesOptions) {
    this.#options = options;
  }

  /** Where the own server's proxies listen: at most four, none when there are none or nobody answers. Asked once, or again when the server was silent. */
  find(): Promise<readonly Streamhost[]> {
    this.#found ??= this.#discover().catch((error: unknown) => {
      this.#found = undefined;
      this.#options.log.info('the server does not say what proxies it has', { why: messageOf(error) });
      return [];
    });
    return this.#found;
  }

  /** Whether the proxy `jid` itself says that it listens at just this host and port. Never rejects. */
  async isGenuine(streamhost: Streamhost): Promise<boolean> {
    const own = await this.#addressesOf(streamhost.jid).catch(() => []);
    return own.some((one) => isSameHost(one, streamhost));
  }

  async #discover(): Promise<readonly Streamhost[]> {
    const items = await this.#ask(domainOf(this.#options.connection.jid), xml('query', { xmlns: NS_DISCO_ITEMS }));
    const jids = itemsOf(items);
    const found: Streamhost[] = [];
    for (let at = 0; at < jids.length && found.length < MAX_PROXIES; at += ASKED_AT_ONCE) {
      const asked = jids.slice(at, at + ASKED_AT_ONCE).map((jid) => this.#look(jid));
      found.push(...(await Promise.all(asked)).flat());
    }
    return found.slice(0, MAX_PROXIES);
  }

  /** Where `jid` listens, if it is a proxy; nothing whatever goes wrong. */
  async #look(jid: string): Promise<readonly Streamhost[]> {
    try {
      const info = await this.#ask(jid, xml('query', { xmlns: NS_DISCO_INFO }));
      const isProxy = info.getChildren('identity').some((one) => attrOf(one, 'category') === 'proxy' && attrOf(one, 'type') === 'bytestreams');
      return isProxy ? (await this.#addressesOf(jid)).slice(0, 1) : [];
    } catch {
      return [];
    }
  }

  #addressesOf(jid: string): Promise<readonly Streamhost[]> {
    const known = this.#known.get(jid);
    if (known !== undefined) return known;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    const asked = this.#ask(jid, formatAddressQuery()).then((answer) => parseStreamhosts(answer).filter((one) => one.jid === jid || one.jid.startsWith(`${jid}/`)));
    this.#known.set(jid, asked);
    asked.catch(() => this.#known.delete(jid));
    return asked;
  }

  /** The `<query/>` that answers `query`. @throws Fault `timeout`, a stanza error, or `server` when it answers something else */
  async #ask(jid: string, query: Element): Promise<Element> {
    const { connection, clock } = this.#options;
    const asked = connection.iq('get', jid, query, { timeoutMs: STEP_MS });
    const answer = await withDeadline(asked, STEP_MS, clock, () => new Fault('timeout', `${jid} did not answer within ${STEP_MS / 1000} s`));
    if (answer?.getName() === 'query' && answer.getNS() === query.getNS()) return answer;
    throw new Fault('server', `${jid} answered something else than ${query.getNS() ?? NS_BYTESTREAMS}`);
  }
}

/** The domains among a server's items, each once. */
function itemsOf(query: Element): string[] {
  const jids = query.getChildren('item').slice(0, MAX_ITEMS).flatMap((item) => {
    try {
      const jid = parseStreamhostJid(attrOf(item, 'jid'));
      return jid.includes('@') || attrOf(item, 'node') !== undefined ? [] : [jid];
    } catch {
      return [];
    }
  });
  return [...new Set(jids)];
}
