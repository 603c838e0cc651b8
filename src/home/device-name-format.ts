// The name a person gives a device. Rule: any one line of text, short, and without what could disguise it on a terminal.

import { InputFault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';

/** @throws InputFault when `text` is empty, over 64 characters, or holds control or direction characters */
export function parseDeviceName(text: string): string {
  const name = text.normalize('NFC').trim();
  if (name === '' || Array.from(name).length > 64 || /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u.test(name)) {
    throw new InputFault('device name', `"${shorten(text)}" is not one line of 1 to 64 characters`);
  }
  return name;
}
