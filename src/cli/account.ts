// `git xmpp login`, `logout`, `account`. Rule: a password comes from a prompt or from standard input, never from an argument.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { nap, realClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { parseBareJid } from '../lib/jid.ts';
import type { AccountAnswer, LoginAnswer } from '../agent/answers.ts';
import type { Door } from './door.ts';
import { print, say } from './out.ts';
import { telling } from './progress.ts';
import { describeState } from './words-format.ts';
import { ask, askSecret, hasTerminal, readSecretLine } from './prompt.ts';

/** What signing in takes where the server answers at all. */
const SIGN_IN_MS = 10_000;
const LOOK_EVERY_MS = 50;

export interface LoginOptions {
  readonly server?: string;
  readonly ca?: string;
  readonly device?: string;
  readonly passwordStdin?: boolean;
}

/** Signs in, and keeps the account. */
export async function login(door: Door, jidGiven: string | undefined, options: LoginOptions): Promise<void> {
  if (jidGiven === undefined && !hasTerminal()) throw new Fault('wrong-use', 'which account?', { remedy: 'git xmpp login you@example.org' });
  const jid = parseBareJid(jidGiven ?? (await ask('XMPP account (you@example.org): ')));
  const caFile = options.ca === undefined ? undefined : resolve(options.ca);
  if (caFile !== undefined) checkCa(caFile);
  const password = await readPassword(jid, options);
  const body = { jid, password, server: options.server, caFile, device: options.device };
  const answer = await door.ask<LoginAnswer>('POST', '/login', body);
  say(`signed in as ${answer.address}`);
  if (answer.keptBy === 'file') say(`no credential helper of git keeps passwords here, so it lies in a file only you can read: ${door.home.credentials}`);
}

async function readPassword(jid: string, options: LoginOptions): Promise<string> {
  if (options.passwordStdin === true) return readSecretLine('password');
  if (hasTerminal()) return askSecret(`Password of ${jid}: `);
  throw new Fault('wrong-use', 'a password is needed, and there is no terminal to ask on', {
    remedy: `printf '%s\\n' "$PASSWORD" | git xmpp login ${jid} --password-stdin`,
  });
}

function checkCa(path: string): void {
  try {
    if (readFileSync(path, 'utf8').includes('BEGIN CERTIFICATE')) return;
  } catch (cause) {
    throw new Fault('wrong-use', `--ca ${path} cannot be read`, { cause });
  }
  throw new Fault('wrong-use', `--ca ${path} holds no certificate in PEM`);
}

/** Forgets the account; peers and repositories stay. */
export async function logout(door: Door): Promise<void> {
  await door.ask('POST', '/logout');
  say('signed out; the password is forgotten, peers and repositories stay as they are');
}

export async function showAccount(door: Door): Promise<void> {
  const account = await door.ask<AccountAnswer>('GET', '/account');
  print(`account      ${account.jid ?? '(none: git xmpp login you@example.org)'}`);
  print(`state        ${describeState(account)}`);
  print(`device       ${account.name}`);
  print(`fingerprint  ${account.fingerprint}`);
}

/**
 * Makes sure that an account is there, and signed in where that is a matter of a moment: asks in place on a terminal.
 * @throws Fault `no-account` (exit code 2) without a terminal
 */
export async function needAccount(door: Door): Promise<void> {
  const { state } = await door.ask<AccountAnswer>('GET', '/account');
  if (state === 'connecting') return telling('signing in', signedIn(door));
  if (state !== 'none') return;
  if (!hasTerminal()) throw new Fault('no-account', 'this device is signed in to no account', { remedy: 'git xmpp login you@example.org' });
  say('git-xmpp needs an XMPP account; any server will do.');
  await login(door, undefined, {});
}

/** An agent that has just started signs in first; what does not come in time is for the command itself to say. */
async function signedIn(door: Door): Promise<void> {
  const until = realClock.now() + SIGN_IN_MS;
  for (;;) {
    const { state } = await door.ask<AccountAnswer>('GET', '/account');
    if (state !== 'connecting' || realClock.now() > until) return;
    await nap(LOOK_EVERY_MS);
  }
}
