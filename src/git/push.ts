// The agent's own push (docs/PROTOCOL.md, "The two lanes"): one device's corner, over two descriptors of this process (git-remote-fd(1)).
// Rule: nothing in the user's configuration may make it fail, hang, sign, ask, or push anything else.

import type { DeviceId, Oid, RefName } from '../lib/names.ts';
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
  /** The path takes bytes faster than git finds out which of them could be saved. */
  readonly isFast?: boolean;
}

/** Arguments and configuration for `StartGit`, with `extraFds: 2` and descriptors 3 and 4. */
export interface PushStart {
  readonly args: readonly string[];
  readonly config: GitConfig;
}

/**
 * From this size on a blob is sent as it is where the path is fast (git-config(1), core.bigFileThreshold): looking for one that it resembles goes at
 * some 70 MB a second, and large files seldom resemble any. Deltas that a pack holds already are used all the same.
 */
const FAST_BIG_FILE = '1m';

/** The push of whole corners: what is gone here goes there too. */
export function offerArgs(options: OfferOptions): PushStart {
  const refspecs = [options.device, ...(options.relayed ?? [])].map((device) => `+refs/xmpp/${device}/*:refs/xmpp/${device}/*`);
  return pushStart(['--prune'], options, refspecs);
}

/** The push of single objects, each to the ref that it is to arrive under. */
export function sliceArgs(options: Pick<OfferOptions, 'fdIn' | 'fdOut' | 'isFast'> & { readonly tips: readonly { readonly oid: Oid; readonly to: RefName }[] }): PushStart {
  return pushStart([], options, options.tips.map(({ oid, to }) => `+${oid}:${to}`));
}

function pushStart(more: readonly string[], { fdIn, fdOut, isFast }: Pick<OfferOptions, 'fdIn' | 'fdOut' | 'isFast'>, refspecs: readonly string[]): PushStart {
  return {
    args: ['push', '--no-verify', '--recurse-submodules=no', '--no-signed', '--no-follow-tags', ...more, '--porcelain', `fd::${fdIn},${fdOut}`, ...refspecs],
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
      ...(isFast === true ? { 'core.bigFileThreshold': FAST_BIG_FILE } : {}),
    },
  };
}

/** More refs than this do not fit well on a command line: such an offer is a push as above. */
export const MAX_WARM_REFS = 200;

/**
 * Arguments and configuration for a push onto what the other side is known to hold, in smart HTTP's form (gitprotocol-http(5)): standard input
 * gets that as an advertisement (`formatAdvertisement`), standard output gives the push in packets (`PacketReader`), and nothing is answered.
 * @param changes refs of the corner by their full names, and the objects they are to name; undefined takes one away
 */
export function warmOfferArgs(changes: ReadonlyMap<RefName, Oid | undefined>): { readonly args: readonly string[]; readonly config: GitConfig } {
  const refspecs = [...changes].map(([ref, oid]) => (oid === undefined ? `:${ref}` : `+${oid}:${ref}`));
  return {
    args: ['send-pack', '--stateless-rpc', '--thin', '--quiet', '--no-signed', 'offer', ...refspecs],
    config: { ...QUIET_CONFIG, 'push.negotiate': 'false', 'push.gpgSign': 'false', 'color.push': 'never' },
  };
}
