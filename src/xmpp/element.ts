// XML elements, made and read (ltx, RFC 6120 §8).
// Rule: the one place that makes elements for the library; attributes are read as strings or not at all.

import { xml as create } from '@xmpp/client';
import type { Element } from 'ltx';

export type { Element };

export type Attributes = Readonly<Record<string, string | number | undefined>>;
export type Content = Element | string | undefined;

/** An element; attributes and children that are undefined are left out. */
export function xml(name: string, attrs: Attributes = {}, ...children: readonly Content[]): Element {
  return create(name, { ...attrs }, ...children);
}

/** The attribute `name`, when it is there. */
export function attrOf(element: Element, name: string): string | undefined {
  const value: unknown = Object.hasOwn(element.attrs, name) ? element.attrs[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The first child that is an element. */
export function firstChildOf(element: Element): Element | undefined {
  return element.getChildElements()[0];
}

/** Whether `element` is an IQ, message or presence (RFC 6120 §8). */
export function isStanza(element: Element): boolean {
  return element.name === 'iq' || element.name === 'message' || element.name === 'presence';
}
