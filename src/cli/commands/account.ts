// The commands of the account. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/account.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const LOGIN = command({
  name: 'login',
  group: 'Account',
  summary: 'sign in to an XMPP account',
  description: [
    'Signs in, and keeps the account. The password is asked for on the terminal; it is kept by git\'s credential helper, or where none keeps it, in a file of the home.',
    'Any account on any server will do. Another account takes the place of the one before; paired devices and shared repositories stay.',
  ],
  arguments: [{ name: 'jid', isOptional: true }],
  options: [
    { name: 'server', value: 'host:port', says: 'Where the server is, when DNS does not tell; `xmpps://`<host:port> for TLS from the first byte.' },
    { name: 'ca', value: 'file', completes: 'file', says: 'Certificate in PEM of a private authority that the server is signed by. Then only this one is trusted.' },
    { name: 'device', value: 'name', default: 'the name of the machine', says: 'What this device is called.' },
    { name: 'password-stdin', says: 'Read the password from the first line of standard input.' },
  ],
  examples: [
    { line: 'git xmpp login you@example.org', says: 'sign in, and be asked for the password' },
    { line: `printf '%s\\n' "$PASSWORD" | git xmpp login you@example.org --password-stdin`, says: 'from a script' },
    { line: 'git xmpp login you@home.lan --server 192.168.1.5:5222 --ca ca.pem', says: 'a server of your own' },
  ],
  run: async ({ door }, [jid], options) => (await import('../account.ts')).login(door(), jid, options),
});

const LOGOUT = command({
  name: 'logout',
  group: 'Account',
  summary: 'forget the account',
  description: ['Forgets the account and its password. Paired devices and shared repositories stay.'],
  examples: [{ line: 'git xmpp logout', says: 'sign out, and forget the password' }],
  run: async ({ door }) => (await import('../account.ts')).logout(door()),
});

const ACCOUNT = command({
  name: 'account',
  group: 'Account',
  summary: 'which account, and whether it is online',
  description: ["Which account, whether it is online and if not, why; this device's name and fingerprint."],
  examples: [{ line: 'git xmpp account', says: 'whether this device is signed in' }],
  run: async ({ door }) => (await import('../account.ts')).showAccount(door()),
});

export const ACCOUNT_COMMANDS: readonly CommandSpec[] = [LOGIN, LOGOUT, ACCOUNT];
