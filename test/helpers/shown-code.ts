// The code that `git xmpp pair` shows on a device, and what is typed on the other one. Rule: all that stands in the line is typed: where the server has
// no PEP, the address is behind the code.

import type { Device, Ongoing } from './device.ts';

export interface ShownCode {
  /** The command that shows it; it ends with the pairing. */
  readonly shown: Ongoing;
  readonly code: string;
  /** Another one of the same number. */
  readonly wrong: string;
  /** What is typed behind the code. */
  readonly where: readonly string[];
}

/** Has a device show a code. */
export async function showCode(device: Device): Promise<ShownCode> {
  const shown = device.start('git-xmpp', ['pair']);
  const [code = '', ...where] = (await shown.line(/^git xmpp pair \d/)).split(' ').slice(3);
  const [number = '', first = '', second = ''] = code.split('-');
  return { shown, code, wrong: `${number}-${first === 'zebra' ? 'yellow' : 'zebra'}-${second}`, where };
}
