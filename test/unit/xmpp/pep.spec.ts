// What is asked of a server that keeps items, by an account's own words to it; what real ones answer is in test/integration/connection.spec.ts.

import { describe, expect, it } from 'vitest';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { BareJid } from '../../../src/lib/jid.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { isWithoutPep, publish, read, remove } from '../../../src/xmpp/pep.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';

const NODE = 'urn:example:node';
const accountOf = (name: string): BareJid => parseBareJid(`${name}@example.org`);
const [anna, berta, carla] = [accountOf('anna'), accountOf('berta'), accountOf('carla')];
const OWNER = 'http://jabber.org/protocol/pubsub#owner';

type Answer = (asked: Element) => Element | undefined;

/** A server that answers so, and what it was asked: type, address and payload. */
function playServer(answer: Answer = () => undefined): { readonly iq: (type: 'get' | 'set', to: string | undefined, payload: Element) => Promise<Element | undefined>; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    iq: async (type, to, payload) => {
      asked.push(`${type} ${to ?? '-'} ${payload.toString()}`);
      return answer(payload);
    },
  };
}

const members = (...jids: string[]): Element =>
  xml('pubsub', { xmlns: OWNER }, xml('affiliations', { node: NODE }, ...jids.map((jid) => xml('affiliation', { jid, affiliation: 'member' }))));

const refuse = (condition: string): Answer => () => {
  throw new StanzaFault('cancel', condition);
};

describe('publish', () => {
  it('says who may read before and with the item, and names the readers of a whitelist', async () => {
    const server = playServer((asked) => (asked.toString().includes('affiliations') ? members(berta) : undefined));
    await publish(server, NODE, xml('item-of-ours', {}), { access: 'whitelist', members: [berta, carla] });
    const [configured, published, looked, changed] = server.asked;
    expect(server.asked).toHaveLength(4);
    for (const said of [configured, published]) expect(said).toContain('var="pubsub#access_model"><value>whitelist</value>');
    expect(configured).not.toContain('item-of-ours');
    expect(published).toContain('item-of-ours');
    expect(looked).toMatch(/^get - /);
    expect(changed).toContain(`<affiliation jid="${carla}" affiliation="member"/>`);
    expect(changed).not.toContain(berta);
  });

  it('takes the right to read from who is no reader any more', async () => {
    const server = playServer((asked) => (asked.toString().includes('affiliations') ? members(anna, berta) : undefined));
    await publish(server, NODE, xml('x', {}), { access: 'whitelist', members: [anna] });
    expect(server.asked.at(-1)).toContain(`<affiliation jid="${berta}" affiliation="none"/>`);
    expect(server.asked.at(-1)).not.toContain(anna);
  });

  it('lets a node lie open where that is asked for alone, with no readers named', async () => {
    const server = playServer();
    await publish(server, NODE, xml('x', {}), { access: 'open' });
    expect(server.asked).toHaveLength(2);
    for (const said of server.asked) expect(said).toContain('<value>open</value>');
  });

  it('makes a node that is not there yet, and publishes nothing to one that cannot be as asked', async () => {
    const absent = playServer((asked) => (asked.toString().includes('<configure') ? refuse('item-not-found')(asked) : undefined));
    await publish(absent, NODE, xml('x', {}), { access: 'open' });
    expect(absent.asked).toHaveLength(2);
    const refusing = playServer(refuse('not-acceptable'));
    await expect(publish(refusing, NODE, xml('x', {}), { access: 'whitelist' })).rejects.toMatchObject({ code: 'server' });
    expect(refusing.asked).toHaveLength(1);
  });

  it('is told apart where the server keeps no items at all', async () => {
    const without = await publish(playServer(refuse('service-unavailable')), NODE, xml('x', {}), { access: 'open' }).catch((error: unknown) => error);
    expect(isWithoutPep(without)).toBe(true);
    expect(without).toMatchObject({ message: expect.stringContaining('has no personal eventing') as string });
    expect(isWithoutPep(new Fault('server', 'x'))).toBe(false);
  });
});

describe('read', () => {
  const items = (node: string, ...held: Element[]): Element => xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, xml('items', { node }, ...held));

  it('gives the item of the node that was asked for, of that account', async () => {
    const server = playServer(() => items(NODE, xml('item', { id: 'current' }, xml('payload', { a: '1' }))));
    expect((await read(server, berta, NODE))?.attrs['a']).toBe('1');
    expect(server.asked[0]).toMatch(new RegExp(`^get ${berta} `));
  });

  it('takes another node, no item and nothing that may be read for none', async () => {
    expect(await read(playServer(() => items('urn:example:other', xml('item', {}, xml('x', {})))), berta, NODE)).toBeUndefined();
    expect(await read(playServer(() => items(NODE)), berta, NODE)).toBeUndefined();
    expect(await read(playServer(refuse('forbidden')), berta, NODE)).toBeUndefined();
    await expect(read(playServer(refuse('remote-server-timeout')), berta, NODE)).rejects.toBeInstanceOf(StanzaFault);
  });
});

describe('remove', () => {
  it('deletes the node, and has nothing to do where there is none', async () => {
    const server = playServer();
    await remove(server, NODE);
    expect(server.asked[0]).toContain(`<delete node="${NODE}"/>`);
    await remove(playServer(refuse('item-not-found')), NODE);
    await expect(remove(playServer(refuse('internal-server-error')), NODE)).rejects.toBeInstanceOf(StanzaFault);
  });
});
