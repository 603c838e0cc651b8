// Items on the own account that others may read (XEP-0163, XEP-0060 §6.5, §7.1, §8).
// Rule: a node is configured before it is published to,
// because options that differ from an existing node's fail the publish, and it never lies more open than asked.

import { Fault } from '../lib/errors.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Connection } from './connection-types.ts';
import { attrOf, firstChildOf, xml } from './element.ts';
import type { Element } from './element.ts';
import { NS_FORM, NS_PUBSUB, NS_PUBSUB_NODE_CONFIG, NS_PUBSUB_OWNER, NS_PUBSUB_PUBLISH_OPTIONS } from './namespaces.ts';
import { StanzaFault } from './stanza-fault.ts';

type Requester = Pick<Connection, 'iq'>;

export interface PublishOptions {
  /** `open`: anybody may read, with no subscription; `whitelist`: `members` and the account itself. */
  readonly access: 'open' | 'whitelist';
  readonly members?: readonly BareJid[];
}

/** One item per node: ejabberd keeps no more unless told to. */
const ITEM = 'current';
const ABSENT: readonly string[] = [
  'item-not-found',
  'service-unavailable',
  'forbidden',
  'not-authorized',
  'not-allowed',
  'feature-not-implemented',
];

/**
 * Replaces the item of `node` on the own account.
 * @throws Fault `server` when the server has no PEP, or does not let the node be as asked
 */
export async function publish(connection: Requester, node: string, item: Element, options: PublishOptions): Promise<void> {
  try {
    await configure(connection, node, options);
    const published = xml('publish', { node }, xml('item', { id: ITEM }, item));
    const required = xml('publish-options', {}, formatOptions(NS_PUBSUB_PUBLISH_OPTIONS, options));
    await connection.iq('set', undefined, xml('pubsub', { xmlns: NS_PUBSUB }, published, required));
    if (options.access === 'whitelist') await setMembers(connection, node, options.members ?? []);
  } catch (error) {
    throw error instanceof StanzaFault ? faultOfPep(error) : error;
  }
}

/** The item of `owner`'s `node`; undefined when there is none that may be read. */
export async function read(connection: Requester, owner: BareJid, node: string): Promise<Element | undefined> {
  try {
    const result = await connection.iq('get', owner, xml('pubsub', { xmlns: NS_PUBSUB }, xml('items', { node, max_items: 1 })));
    const items = result?.getChild('items', NS_PUBSUB);
    if (items === undefined || attrOf(items, 'node') !== node) return undefined;
    const item = items.getChild('item', NS_PUBSUB);
    return item === undefined ? undefined : firstChildOf(item);
  } catch (error) {
    if (error instanceof StanzaFault && ABSENT.includes(error.condition)) return undefined;
    throw error;
  }
}

/** Deletes `node` of the own account, if it is there. */
export async function remove(connection: Requester, node: string): Promise<void> {
  try {
    await connection.iq('set', undefined, xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('delete', { node })));
  } catch (error) {
    if (!(error instanceof StanzaFault) || !ABSENT.includes(error.condition)) throw error;
  }
}

/** A node that does not exist yet is made by the publish, with the same options. */
async function configure(connection: Requester, node: string, options: PublishOptions): Promise<void> {
  const form = xml('configure', { node }, formatOptions(NS_PUBSUB_NODE_CONFIG, options));
  try {
    await connection.iq('set', undefined, xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, form));
  } catch (error) {
    if (!(error instanceof StanzaFault) || error.condition !== 'item-not-found') throw error;
  }
}

async function setMembers(connection: Requester, node: string, members: readonly BareJid[]): Promise<void> {
  const asked = xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('affiliations', { node }));
  const result = await connection.iq('get', undefined, asked);
  const known = result?.getChild('affiliations', NS_PUBSUB_OWNER)?.getChildren('affiliation', NS_PUBSUB_OWNER) ?? [];
  const before = known.filter((entry) => attrOf(entry, 'affiliation') === 'member').map((entry) => attrOf(entry, 'jid') ?? '');
  const added = members.filter((jid) => !before.includes(jid)).map((jid) => formatAffiliation(jid, 'member'));
  const gone = before.filter((jid) => !members.some((member) => member === jid)).map((jid) => formatAffiliation(jid, 'none'));
  if (added.length + gone.length === 0) return;
  const changes = xml('affiliations', { node }, ...added, ...gone);
  await connection.iq('set', undefined, xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, changes));
}

function formatAffiliation(jid: string, affiliation: 'member' | 'none'): Element {
  return xml('affiliation', { jid, affiliation });
}

function formatOptions(formType: string, { access }: PublishOptions): Element {
  return xml(
    'x',
    { xmlns: NS_FORM, type: 'submit' },
    xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, formType)),
    formatField('pubsub#access_model', access),
    formatField('pubsub#persist_items', '1'),
    // ejabberd refuses a publish that names an option beyond these two; a node that the publish makes holds one item by default (XEP-0163 §5).
    ...(formType === NS_PUBSUB_NODE_CONFIG ? [formatField('pubsub#max_items', '1')] : []),
  );
}

function formatField(name: string, value: string): Element {
  return xml('field', { var: name }, xml('value', {}, value));
}

/** Whether a publish failed because the server keeps no items of anybody. */
export function isWithoutPep(error: unknown): boolean {
  return error instanceof Fault && error.cause instanceof StanzaFault && isMissing(error.cause);
}

function isMissing({ condition }: StanzaFault): boolean {
  return condition === 'service-unavailable' || condition === 'feature-not-implemented';
}

function faultOfPep(error: StanzaFault): Fault {
  const words = isMissing(error)
    ? 'the XMPP server has no personal eventing (PEP, XEP-0163)'
    : `the XMPP server refused to keep an item: ${error.message}`;
  return new Fault('server', words, { remedy: "ask the server's operator, or use an account on another server", cause: error });
}
