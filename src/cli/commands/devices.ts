// The commands of paired devices. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/pair.ts, peers.ts and introduce.ts.

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
    'A device that another of yours has unpaired is let in no more under its key: `--new-identity` makes a new one there.',
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
    { name: 'new-identity', says: 'With a new key, where this device was unpaired by another of yours. Whoever was paired with the old key has to be paired again.' },
  ],
  examples: [
    { line: 'git xmpp pair', says: 'show a code, on the first device' },
    { line: 'git xmpp pair 4-cross-clock', says: 'type it, on the second one' },
    { line: 'git xmpp pair 4-cross-clock --with anna@example.net', says: "type the code that a friend's device shows" },
    { line: 'git xmpp pair --invite', says: 'a line, and a QR code, to send to yourself' },
    { line: 'git xmpp pair -', says: 'paste the invite on the other device' },
    { line: 'git xmpp pair --new-identity', says: 'on a device that was unpaired, to begin anew' },
  ],
  needsAccount: true,
  run: async ({ door }, [code], options) => (await import('../pair.ts')).pair(door(), code, options),
});

const PEERS = command({
  name: 'peers',
  group: 'Devices',
  summary: 'the paired devices',
  description: [
    'The paired devices: name, account, whether they are there, and over what, or since when not; fingerprint; who introduced them. Below each, what it may do with each repository.',
  ],
  options: [{ name: 'json', says: 'As JSON, with every grant.' }],
  examples: [{ line: 'git xmpp peers', says: 'who is there, and what they may do' }],
  run: async ({ door }, _words, options) => (await import('../peers.ts')).listPeers(door(), options),
});

const RENAME = command({
  name: 'rename',
  group: 'Devices',
  summary: 'call a peer by another name',
  description: ['Calls a peer by another name on this device. Its git remotes follow.'],
  arguments: [{ name: 'peer', completes: 'peer' }, { name: 'name' }],
  examples: [{ line: 'git xmpp rename anna-2 anna-phone', says: 'call it anna-phone here' }],
  run: async ({ door }, [peer, name]) => (await import('../peers.ts')).rename(door(), peer, name),
});

const UNPAIR = command({
  name: 'unpair',
  group: 'Devices',
  summary: 'end the pairing with a device',
  description: [
    'Ends the pairing, every link and whatever moves on it at once.',
    'Of a device of your own account: for all your devices and for good. They are told, those that are offline at their next sign-in; pairing it again needs a new key there. ' +
      'A lost or stolen device still knows the password of the account: change it.',
    'Of a device of another account: on this device alone, and nobody is told.',
  ],
  arguments: [{ name: 'peer', completes: 'peer' }],
  examples: [{ line: 'git xmpp unpair tablet', says: 'a device that was lost, or sold' }],
  run: async ({ door }, [peer]) => (await import('../peers.ts')).unpair(door(), peer),
});

const INTRODUCE = command({
  name: 'introduce',
  group: 'Devices',
  summary: 'vouch for a new device of yours to your others',
  description: [
    'Introduces a device of your own account, which was paired with this one by a code, to your other devices that are paired with this one by a code, and them to it. ' +
      'So a third device is paired once. Those that are offline learn of it when they sign in, within 30 days.',
    'An introduced device may not introduce others. `git xmpp peers` shows who introduced it, and when that one is unpaired you are asked about it.',
  ],
  arguments: [{ name: 'peer', completes: 'peer' }],
  examples: [{ line: 'git xmpp introduce phone', says: 'on the laptop, once the phone is paired with it' }],
  run: async ({ door }, [peer]) => (await import('../introduce.ts')).introduce(door(), peer),
});

export const DEVICE_COMMANDS: readonly CommandSpec[] = [PAIR, PEERS, RENAME, UNPAIR, INTRODUCE];
