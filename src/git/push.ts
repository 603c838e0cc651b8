// The agent's own push (docs/PROTOCOL.md, "The two lanes"): one device's corner, over two descriptors of this process (git-remote-fd(1)).
// Rule: nothing in the user's configuration may make it fail, hang, sign, ask, or push anything else.

import type { DeviceId } from '../lib/names.ts';
import { QUIET_CONFIG } from './environment.ts';
import type { GitConfig } from './environment.ts';

export interface OfferOptions {
  /** Whose corner is offered. */
  readonly device: DeviceId;
  /** Other devices' corners that go along unchanged. */
  readonly relayed?: readonly DeviceId[];
  /** Descriptor that git reads the other side's answers from. */
  readonly fdIn: number;
  /** Descriptor that git writes to. */
  readonly fdOut: number;
}

/** Arguments and configuration for `StartGit`, with `extraFds: 2` and descriptors 3 and 4. */
export function offerArgs(options: OfferOptions): { readonly args: readonly string[]; readonly config: GitConfig } {
  const refspecs = [options.device, ...(options.relayed ?? [])].map((device) => `+refs/xmpp/${device}/*:refs/xmpp/${device}/*`);
  return {
    args: [
      'push',
      '--no-verify',
      '--recurse-submodules=no',
      '--no-signed',
      '--no-follow-tags',
      '--prune',
      '--porcelain',
      `fd::${options.fdIn},${options.fdOut}`,
      ...refspecs,
    ],
    config: {
      ...QUIET_CONFIG,
      'protocol.fd.allow': 'always',
      'push.negotiate': 'false',
      'push.gpgSign': 'false',
      'push.followTags': 'false',
      'push.pushOption': '',
      'color.ui': 'never',
      'color.push': 'never',
      'color.transport': 'never',
    },
  };
}
