// XMPP addresses (RFC 7622). Rule: only these parsers make the branded types; localparts are compared in lower case.

import { InputFault } from './errors.ts';

/** `local@domain`, normalised to lower case. */
export type BareJid = string & { readonly __type: 'BareJid' };
/** `local@domain/resource`. */
export type FullJid = string & { readonly __type: 'FullJid' };

const LOCAL = /^[^\s"&'/:<>@\p{Cc}\p{Cs}]{1,255}$/u;
const DOMAIN = /^(?=.{1,255}$)(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,62})(?:\.[\p{L}\p{N}][\p{L}\p{M}\p{N}-]{0,62})*\.?|\[[0-9A-Fa-f:.]+\])$/u;
const RESOURCE = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/** @throws InputFault when `text` is no `local@domain` */
export function parseBareJid(text: string): BareJid {
  const jid = text.length > 512 ? '' : text.normalize('NFC').toLowerCase().normalize('NFC');
  const at = jid.indexOf('@');
  if (at < 1 || !LOCAL.test(jid.slice(0, at)) || !DOMAIN.test(jid.slice(at + 1))) {
    throw new InputFault('JID', `"${shorten(text)}" is not of the form name@server`);
  }
  return jid as BareJid;
}

/** @throws InputFault when `text` is no `local@domain/resource` */
export function parseFullJid(text: string): FullJid {
  const slash = text.indexOf('/');
  const resource = text.slice(slash + 1);
  if (slash < 0 || !RESOURCE.test(resource)) {
    throw new InputFault('full JID', `"${shorten(text)}" is not of the form name@server/resource`);
  }
  return `${parseBareJid(text.slice(0, slash))}/${resource}` as FullJid;
}

/** The account of a full JID. */
export function bareOf(jid: FullJid): BareJid {
  return jid.slice(0, jid.indexOf('/')) as BareJid;
}

/** The server's name. */
export function domainOf(jid: BareJid | FullJid): string {
  return jid.slice(jid.indexOf('@') + 1).split('/', 1)[0] ?? '';
}

/** The account's name on its server. */
export function localOf(jid: BareJid | FullJid): string {
  return jid.slice(0, jid.indexOf('@'));
}

/** A value cut for an error text, so that no peer can fill a screen. */
export function shorten(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}…` : clean;
}
