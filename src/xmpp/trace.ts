// Stanzas as a person may read them on stderr (`--debug`).
// Rule: no login secret and no payload gets out: @xmpp/debug hides the first, lengths stand for the second.

import { hideSensitive } from '@xmpp/debug';
import { clone, stringify } from 'ltx';
import { shorten } from '../lib/jid.ts';
import type { Element } from './element.ts';
import { NS_IBB, NS_OURS } from './namespaces.ts';

/** One element with its direction, over several lines, ready to print. */
export function formatTrace(direction: 'in' | 'out', element: Element): string {
  const copy = hideSensitive(clone(element));
  hidePayloads(copy);
  // A peer must not steer the terminal.
  const text = stringify(copy, 2).replace(/(?!\n)\p{Cc}/gu, '?');
  return `${direction === 'in' ? 'IN' : 'OUT'}\n${text}`;
}

function hidePayloads(element: Element): void {
  const namespace = element.getNS() ?? '';
  const isPayload = namespace === NS_IBB || namespace.startsWith(NS_OURS);
  element.children = element.children.map((child) => {
    if (typeof child === 'string') return isPayload ? `[${child.length} characters]` : shorten(child);
    hidePayloads(child);
    return child;
  });
}
