// The commands of paired devices. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/pair.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const PAIR = command({
  name: 'pair',
  group: 'Devices',
  summary: 'pair with another device: shows a code, or takes the one it showed',
  description: [
    'Without a code: shows one, and the line to type on the other device, and waits until it is used. A code works once, and one wrong guess spends it.',
    'With a <code>, such as `4-cross-clock`: pairs with the device that shows it. Case does not matter, and a word may be cut to four letters.',
    'With `-`: reads a code or an invite from the terminal without showing it, or from standard input. An invite is not taken as an argument, which other users of the machine can read.',
    'Pairing with a device of another account by itself grants nothing: `git xmpp share --with` does.',
  ],
  arguments: [{ name: 'code', isOptional: true }],
  options: [
    { name: 'with', value: 'jid', says: "The account of the other device, when it is not this one's; its full JID, where `pair` there shows one." },
    { name: 'as', value: 'name', says: 'What to call the other device here.' },
    { name: 'invite', says: 'Show an invite instead of a code: good for 24 hours, once, with no need to be at both machines at one time.' },
    {
      name: 'contact',
      says: 'Make the two accounts contacts, for servers that block strangers. On both sides, with `--with`, the one that shows the code first.',
    },
  ],
  examples: [
    { line: 'git xmpp pair', says: 'show a code, on the first device' },
    { line: 'git xmpp pair 4-cross-clock', says: 'type it, on the second one' },
    { line: 'git xmpp pair 4-cross-clock --with anna@example.net', says: "type the code that a friend's device shows" },
    { line: 'git xmpp pair --invite', says: 'a line, and a QR code, to send to yourself' },
    { line: 'git xmpp pair -', says: 'paste the invite on the other device' },
  ],
  needsAccount: true,
  run: async ({ door }, [code], options) => (await import('../pair.ts')).pair(door(), code, options),
});

const PEERS = command({
  name: 'peers',
  group: 'Devices',
  summary: 'the paired devices',
  description: ['The paired devices: name, account, whether they are there, and over what, fingerprint.'],
  examples: [{ line: 'git xmpp peers', says: 'who is there' }],
  run: async ({ door }) => (await import('../pair.ts')).listPeers(door()),
});

const RENAME = command({
  name: 'rename',
  group: 'Devices',
  summary: 'call a peer by another name',
  description: ['Calls a peer by another name on this device. Its git remotes follow.'],
  arguments: [{ name: 'peer', completes: 'peer' }, { name: 'name' }],
  examples: [{ line: 'git xmpp rename anna-2 anna-phone', says: 'call it anna-phone here' }],
  run: async ({ door }, [peer, name]) => (await import('../pair.ts')).rename(door(), peer, name),
});

const UNPAIR = command({
  name: 'unpair',
  group: 'Devices',
  summary: 'end the pairing with a device',
  description: ['Ends the pairing and every link at once. It counts on this device: run it on each of yours.'],
  arguments: [{ name: 'peer', completes: 'peer' }],
  examples: [{ line: 'git xmpp unpair tablet', says: 'a device that was lost, or sold' }],
  run: async ({ door }, [peer]) => (await import('../pair.ts')).unpair(door(), peer),
});

export const DEVICE_COMMANDS: readonly CommandSpec[] = [PAIR, PEERS, RENAME, UNPAIR];
