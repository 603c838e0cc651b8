// Stanzas as a person may read them on stderr (`--debug`).
// Rule: no secret of a sign-in or a stream and no payload gets out: @xmpp/debug hides the first, lengths stand for the last.

import { hideSensitive } from '@xmpp/debug';
import { clone, stringify } from 'ltx';
import { shorten } from '../lib/jid.ts';
import { redactLog } from '../lib/log.ts';
import type { Element } from './element.ts';
import { NS_IBB, NS_OURS, NS_SM } from './namespaces.ts';

/** One element with its direction, over several lines, ready to print. */
export function formatTrace(direction: 'in' | 'out', element: Element): string {
  const copy = hideSensitive(clone(element));
  hidePayloads(copy);
  // A peer must not steer the terminal.
  const text = redactLog(stringify(copy, 2)).replace(/(?!\n)\p{Cc}/gu, '?');
  return `${direction === 'in' ? 'IN' : 'OUT'}\n${text}`;
}

function hidePayloads(element: Element): void {
  const namespace = element.getNS() ?? '';
  const isPayload = namespace === NS_IBB || namespace.startsWith(NS_OURS);
  // Whoever knows it could take the stream over (XEP-0198, section 5).
  if (namespace === NS_SM) for (const name of ['id', 'previd']) if (element.attrs[name] !== undefined) element.attrs[name] = '<hidden>';
  element.children = element.children.map((child) => {
    if (typeof child === 'string') return isPayload ? `[${child.length} characters]` : shorten(child);
    hidePayloads(child);
    return child;
  });
}
