// The account this agent is signed in to: trying it, keeping it, leaving it. Rule: a login that does not come up changes nothing, and
// the password is forgotten only when the server itself said that it is wrong.

import { asFault, Fault, formatFault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { Log } from '../lib/log.ts';
import { Serial } from '../lib/serial.ts';
import { forgetAccount, readAccount, writeAccount } from '../home/account.ts';
import type { Account } from '../home/account.ts';
import type { Config } from '../home/config.ts';
import { loadPassword, rejectPassword, savePassword } from '../home/credentials.ts';
import { fingerprintOf } from '../home/fingerprint.ts';
import type { Identity } from '../home/identity.ts';
import type { Home } from '../home/paths.ts';
import type { Connection } from '../xmpp/connection.ts';
import type { Element } from '../xmpp/element.ts';
import { SignIn } from '../xmpp/sign-in.ts';
import { dialAccount } from './account-dial.ts';
import type { AccountAnswer, LoginAnswer } from './answers.ts';
import type { Pauses } from './pauses.ts';
import type { ServerCertificates } from './server-certificate.ts';

export interface AccountParts {
  readonly home: Home;
  readonly config: Config;
  readonly runGit: RunGit;
  readonly identity: () => Identity;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly pauses: Pick<Pauses, 'all' | 'requireRunning'>;
  /** Whether this machine has an address that leads anywhere. */
  readonly hasNetwork: () => boolean;
  readonly certificates: ServerCertificates;
  readonly onUp: (connection: Connection) => void;
  readonly onDown: (fault: Fault, retryInMs: number | undefined) => void;
  readonly trace: ((direction: 'in' | 'out', element: Element) => void) | undefined;
}

/** What a lost network looks like from a connection. */
const LOSSES: readonly FaultCode[] = ['dns', 'tcp', 'timeout', 'not-connected'];
const LOST_ANSWER_MS = 1_000;
const ASK_AGAIN_MS = 60_000;

/** One account at a time; none is fine too. */
export class AccountKeeper {
  readonly #parts: AccountParts;
  readonly #logins = new Serial();
  #signIn: SignIn | undefined;
  #mechanism: string | undefined;
  #down: { readonly fault: Fault; readonly retryInMs: number | undefined } | undefined;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  get account(): Account | undefined {
    return readAccount(this.#parts.config);
  }

  get connection(): Connection | undefined {
    return this.#signIn?.connection;
  }

  /** @throws Fault `no-account` or `not-connected`, saying why */
  requireConnection(): Connection {
    if (this.connection !== undefined) return this.connection;
    if (this.account === undefined) throw new Fault('no-account', 'this device is signed in to no account', { remedy: 'git xmpp login you@example.org' });
    this.#parts.pauses.requireRunning();
    if (this.#down !== undefined) throw this.#nameLoss(this.#down.fault);
    throw new Fault('not-connected', 'the agent is still signing in', { remedy: 'try again in a moment; git xmpp status tells more' });
  }

  answer(): AccountAnswer {
    const { name, device, spki } = this.#parts.identity();
    const self = { device, name, fingerprint: fingerprintOf(spki) };
    const { account, connection } = this;
    if (account === undefined) return { ...self, state: 'none' };
    if (connection !== undefined) return { ...self, state: 'online', jid: account.jid, address: connection.jid };
    if (this.#parts.pauses.all !== undefined) return { ...self, state: 'paused', jid: account.jid };
    if (this.#down === undefined) return { ...self, jid: account.jid, ...this.#connecting() };
    const { retryInMs } = this.#down;
    const fault = this.#nameLoss(this.#down.fault);
    const told = { ...self, jid: account.jid, fault: formatFault(fault) };
    return retryInMs === undefined ? { ...told, state: 'stopped' } : { ...told, state: 'offline', retryInMs };
  }

  /** Signs in to the account that is kept, and stays signed in. */
  async start(): Promise<void> {
    const { account } = this;
    if (account === undefined || this.#isSettled()) return;
    const { home, runGit, clock } = this.#parts;
    const password = await loadPassword(home, runGit, account.jid).catch((error: unknown) => asFault(error, 'asking for the password'));
    // Whoever signed in, or paused, meanwhile has settled it.
    if (this.#isSettled()) return;
    if (password instanceof Fault) {
      // A keyring may still be locked: it is asked again, and nothing else waits for it.
      this.#down = { fault: password, retryInMs: ASK_AGAIN_MS };
      return void clock.setTimer(ASK_AGAIN_MS, () => void this.start());
    }
    if (password === undefined) {
      this.#down = { fault: new Fault('no-account', `no password of ${account.jid} is kept`, { remedy: `git xmpp login ${account.jid}` }), retryInMs: undefined };
      return;
    }
    this.#keep(this.#makeSignIn(account, password)).start();
  }

  #isSettled(): boolean {
    return this.#signIn !== undefined || this.#parts.pauses.all !== undefined;
  }

  /** Tries the account, and keeps it when the server lets it in, unless `signal` came first. @throws Fault of the sign-in */
  login(account: Account, password: string, signal: AbortSignal): Promise<LoginAnswer> {
    // Two at once would stay signed in both, and drive each other out.
    return this.#logins.run(() => this.#login(account, password, signal));
  }

  async #login(account: Account, password: string, signal: AbortSignal): Promise<LoginAnswer> {
    const { home, config, runGit, pauses } = this.#parts;
    pauses.requireRunning();
    const connection = await this.#dial(account, password, signal);
    if (signal.aborted || pauses.all !== undefined) {
      await connection.close();
      pauses.requireRunning();
      throw new Fault('agent', 'whoever asked to sign in has gone');
    }
    const strongestMechanism = this.#mechanism;
    await this.stop();
    const keep = async (): Promise<LoginAnswer['keptBy']> => {
      const by = await savePassword(home, runGit, { jid: account.jid, password });
      await writeAccount(config, { ...account, ...(strongestMechanism === undefined ? {} : { strongestMechanism }) });
      return by;
    };
    // What cannot be kept (a full disk) leaves no connection behind, and the account there was is signed in again.
    const keptBy = await keep().catch(async (error: unknown) => {
      await connection.close();
      await this.start().catch(() => undefined);
      throw error;
    });
    let first: Connection | undefined = connection;
    const signIn = this.#keep(
      this.#makeSignIn(account, password, () => {
        const ready = first;
        first = undefined;
        return ready;
      }),
    );
    await new Promise<void>((resolve) => {
      signIn.onUp(() => resolve());
      signIn.onDown(() => resolve());
      signIn.start();
    });
    return { jid: account.jid, address: connection.jid, keptBy };
  }

  async logout(): Promise<void> {
    const { account } = this;
    await this.stop();
    if (account === undefined) return;
    await rejectPassword(this.#parts.home, this.#parts.runGit, account.jid);
    await forgetAccount(this.#parts.config);
  }

  /** Signs out while everything is paused; `start` signs in again. */
  async rest(): Promise<void> {
    await this.stop();
    if (this.account !== undefined) this.#parts.onDown(new Fault('paused', 'signed out, for everything is paused'), undefined);
  }

  async stop(): Promise<void> {
    const signIn = this.#signIn;
    this.#signIn = undefined;
    this.#down = undefined;
    await signIn?.stop();
  }

  /** The network is gone; only a server on this machine itself still answers. */
  lostNetwork(): void {
    this.#signIn?.doubt(LOST_ANSWER_MS);
  }

  #connecting(): Pick<AccountAnswer, 'state' | 'fault'> {
    return this.#parts.hasNetwork() ? { state: 'connecting' } : { state: 'offline', fault: formatFault(this.#nameLoss(new Fault('not-connected', ''))) };
  }

  /** Without a network no name can be looked up and nothing be reached: that is the reason, and not what failed first. */
  #nameLoss(fault: Fault): Fault {
    if (this.#parts.hasNetwork() || !LOSSES.includes(fault.code)) return fault;
    return new Fault('no-network', 'this machine has no network', { cause: fault });
  }

  /** Whatever made the agent wait may be over; but what only a person can mend is still not tried again. */
  reconnectNow(): void {
    if (this.#down !== undefined && this.#down.retryInMs === undefined) return;
    // What it was before says nothing of the network that is there now.
    this.#down = undefined;
    this.#signIn?.reconnectNow();
  }

  #keep(signIn: SignIn): SignIn {
    const { onUp, onDown } = this.#parts;
    this.#signIn = signIn;
    signIn.onUp((connection) => {
      this.#down = undefined;
      onUp(connection);
    });
    signIn.onDown((fault, retryInMs) => {
      this.#down = { fault, retryInMs };
      onDown(this.#nameLoss(fault), retryInMs);
      const { account } = this;
      if (fault.code === 'wrong-password' && account !== undefined) this.#reject(account.jid);
    });
    return signIn;
  }

  /** The keeper of passwords is told that this one is wrong, if it can be. */
  #reject(jid: Account['jid']): void {
    const { home, runGit, log } = this.#parts;
    rejectPassword(home, runGit, jid).catch((error: unknown) => log.warn('the wrong password is still kept', { why: asFault(error, 'rejecting it').message }));
  }

  /** @param ready a connection that is there already, once */
  #makeSignIn(account: Account, password: string, ready: () => Connection | undefined = () => undefined): SignIn {
    const { clock, log, random } = this.#parts;
    const dial = (signal: AbortSignal): Promise<Connection> => {
      const connection = ready();
      return connection?.isOpen === true ? Promise.resolve(connection) : this.#dial(account, password, signal);
    };
    return new SignIn({ dial, clock, log: log.scope('sign-in'), random });
  }

  #dial(account: Account, password: string, signal: AbortSignal): Promise<Connection> {
    return dialAccount(this.#parts, { account, password, signal, onMechanism: (name) => (this.#mechanism = name) });
  }
}
