// Why a pipe was closed, in words for people. Rule: what ended it by the other side's word is told apart from what just went away.

import { Fault } from '../lib/errors.ts';
import type { CloseReason } from '../pipe/pipe-types.ts';

/** The fault that a pipe closed for `reason` ends with. */
export function faultOf(reason: CloseReason): Fault {
  switch (reason) {
    case 'newer-version':
      return new Fault('newer-protocol', 'the other device speaks an older version of the protocol; update git-xmpp there');
    case 'busy':
      return new Fault('throttled', 'the other device has too many links open');
    case 'unknown-link':
      return new Fault('timeout', 'the other device knows this link no more');
    case 'given-up':
      return new Fault('timeout', 'no way to the other device was found for too long');
    default:
      return new Fault('timeout', 'the link was lost');
  }
}
