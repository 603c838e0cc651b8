// `npm run prosody`: a private server with two accounts, until it is interrupted, for trying things by hand.
// Rule: prints the commands to sign in, and leaves nothing behind.

import { startProsody } from './prosody.ts';

const accounts = { romeo: 'wherefore', juliet: 'nightingale' };
const server = await startProsody({ accounts });
for (const [name, password] of Object.entries(accounts)) {
  console.log(`git xmpp login ${name}@${server.domain} --server ${server.host}:${server.port} --ca ${server.caFile}    (password: ${password})`);
}
console.log('Ctrl-C ends it.');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
