import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/lib/errors.ts';
import type { FaultCode } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { Connection } from '../../../src/xmpp/connection.ts';
import { SignIn } from '../../../src/xmpp/sign-in.ts';
import { VirtualClock, settle } from '../../helpers/virtual-clock.ts';

/** A connection that the spec ends. */
class StubConnection implements Connection {
  readonly jid = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
  readonly maxStanzaBytes = 65_536;
  isOpen = true;
  isAnswering = true;
  #listeners: ((fault: Fault) => void)[] = [];

  async iq(): Promise<undefined> {}

  async probe(): Promise<boolean> {
    if (!this.isAnswering) this.end(new Fault('timeout', 'silent'));
    return this.isAnswering;
  }

  handleIq(): () => void {
    return () => undefined;
  }

  onHeadline(): () => void {
    return () => undefined;
  }

  async sendHeadline(): Promise<void> {}

  async sendPresence(): Promise<void> {}

  onClose(listener: (fault: Fault) => void): void {
    this.#listeners.push(listener);
  }

  end(fault: Fault): void {
    this.isOpen = false;
    for (const listener of this.#listeners.splice(0)) listener(fault);
  }

  async close(): Promise<void> {
    this.end(new Fault('not-connected', 'closed here'));
  }
}

/** Dials as it is told, time after time; the last instruction stays. */
function setUp(...outcomes: (FaultCode | 'up' | 'never' | 'late')[]) {
  const clock = new VirtualClock(0);
  const events: string[] = [];
  const made: StubConnection[] = [];
  let dials = 0;
  const signIn = new SignIn({
    clock,
    log: silentLog,
    random: () => 1,
    dial: async (signal) => {
      const outcome = outcomes[Math.min(dials, outcomes.length - 1)];
      dials += 1;
      if (outcome === 'never')
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
      if (outcome === 'late') await new Promise<void>((resolve) => clock.setTimer(30_000, resolve));
      else if (outcome !== undefined && outcome !== 'up' && outcome !== 'never') throw new Fault(outcome, outcome);
      const connection = new StubConnection();
      made.push(connection);
      return connection;
    },
  });
  signIn.onUp(() => events.push(`up at ${clock.now() / 1000}`));
  signIn.onDown(({ code }, retryInMs) =>
    events.push(`${code}, again in ${retryInMs === undefined ? 'never' : retryInMs / 1000}`),
  );
  return { clock, events, made, signIn, dials: () => dials };
}

describe('SignIn', () => {
  it('waits longer after each failure, up to five minutes', async () => {
    const { clock, events, signIn } = setUp('tcp');
    signIn.start();
    await clock.pass(2_000_000);
    expect(events.slice(0, 10)).toEqual(
      ['1', '2', '4', '8', '16', '32', '64', '128', '256', '300'].map((wait) => `tcp, again in ${wait}`),
    );
    expect(events.length).toBeLessThan(17);
  });

  it('starts over once a connection has come up, and stays quick however often that is soon lost', async () => {
    const { clock, events, made, signIn } = setUp('tcp', 'tcp', 'up');
    signIn.start();
    await clock.pass(3_000);
    for (const [lost, waitMs] of [1_000, 2_000, 4_000, 8_000, 8_000].entries()) {
      await clock.pass(500);
      made[lost]?.end(new Fault('tcp', 'lost'));
      await clock.pass(waitMs);
    }
    expect(events.filter((event) => !event.startsWith('up'))).toEqual(['1', '2', '1', '2', '4', '8', '8'].map((wait) => `tcp, again in ${wait}`));
    expect(made).toHaveLength(6);
  });

  it('waits no longer than a quarter of what the last connection lived, however often they die', async () => {
    const { clock, events, made, signIn } = setUp('up');
    signIn.start();
    for (let lost = 0; lost < 6; lost += 1) {
      await clock.pass(8_000);
      made[lost]?.end(new Fault('tcp', 'lost'));
      await clock.pass(2_000);
    }
    expect(events.filter((event) => !event.startsWith('up'))).toEqual(['1', '2', '2', '2', '2', '2'].map((wait) => `tcp, again in ${wait}`));
  });

  it('counts anew the attempts that fail once a connection has come up', async () => {
    const { clock, events, made, signIn } = setUp('tcp', 'tcp', 'tcp', 'up', 'tcp');
    signIn.start();
    await clock.pass(7_000);
    made[0]?.end(new Fault('tcp', 'lost'));
    await clock.pass(2_500);
    expect(events.map((event) => event.split(' ').at(-1))).toEqual(['1', '2', '4', '7', '1', '1', '2']);
  });

  it('counts anew the losses of connections once one has held a minute', async () => {
    const { clock, events, made, signIn } = setUp('up');
    signIn.start();
    await clock.pass(10_000);
    made[0]?.end(new Fault('tcp', 'lost'));
    await clock.pass(1_000);
    made[1]?.end(new Fault('tcp', 'lost'));
    await clock.pass(2_000);
    await clock.pass(60_000);
    made[2]?.end(new Fault('timeout', 'silent'));
    await clock.pass(1_000);
    expect(events).toEqual([
      'up at 0',
      'tcp, again in 1',
      'up at 11',
      'tcp, again in 2',
      'up at 13',
      'timeout, again in 1',
      'up at 74',
    ]);
  });

  it.each(['wrong-password', 'no-mechanism'] as const)('stops on %s until it is told to try again', async (code) => {
    const { clock, events, signIn, dials } = setUp(code, 'up');
    signIn.start();
    await clock.pass(10_000_000);
    expect(events).toEqual([`${code}, again in never`]);
    expect(dials()).toBe(1);
    signIn.reconnectNow();
    await settle();
    expect(signIn.connection).toBeDefined();
  });

  it('takes its resource back once, as a connection of its own may have come late, and stops when it is taken over again', async () => {
    const { clock, events, made, signIn } = setUp('up');
    signIn.start();
    await clock.pass(100_000);
    made[0]?.end(new Fault('conflict', 'replaced'));
    await clock.pass(500_000);
    made[1]?.end(new Fault('conflict', 'replaced'));
    await clock.pass(10_000_000);
    expect(events).toEqual(['up at 0', 'conflict, again in 20', 'up at 120', 'conflict, again in never']);
    expect(signIn.connection).toBeUndefined();
    signIn.reconnectNow();
    await settle();
    made[2]?.end(new Fault('conflict', 'replaced'));
    expect(events.at(-1)).toBe('conflict, again in 20');
  });

  it('tries a server whose encryption is broken again, but slowly', async () => {
    const { clock, events, signIn } = setUp('tls', 'up');
    signIn.start();
    await clock.pass(200_000);
    expect(events).toEqual(['tls, again in 120', 'up at 120']);
  });

  it('does not wait when it is told not to', async () => {
    const { clock, signIn, dials } = setUp('tcp', 'never');
    signIn.start();
    await settle();
    signIn.reconnectNow();
    await clock.pass(10_000);
    expect(dials()).toBe(2);
  });

  it('gives up a dial that is stuck in another network, and dials anew at once', async () => {
    const { clock, events, signIn, dials } = setUp('never', 'up');
    signIn.start();
    await clock.pass(10_000);
    signIn.reconnectNow();
    await settle();
    expect([dials(), events]).toEqual([2, ['up at 10']]);
  });

  it('closes what comes up of a dial that was given up', async () => {
    const { clock, events, made, signIn } = setUp('late', 'up');
    signIn.start();
    await settle();
    signIn.reconnectNow();
    await clock.pass(60_000);
    expect(events).toEqual(['up at 0']);
    expect(made.map(({ isOpen }) => isOpen)).toEqual([true, false]);
  });

  it('asks a connection that is in doubt, and keeps one that answers', async () => {
    const { events, made, signIn } = setUp('up');
    signIn.start();
    await settle();
    signIn.doubt(1_000);
    await settle();
    expect(signIn.connection).toBe(made[0]);
    if (made[0] !== undefined) made[0].isAnswering = false;
    signIn.doubt(1_000);
    await settle();
    expect(events).toEqual(['up at 0', 'timeout, again in 1']);
  });

  it('finds out at once when the connection died in its sleep', async () => {
    const { clock, events, made, signIn } = setUp('up');
    signIn.start();
    await clock.pass(100_000);
    signIn.reconnectNow();
    await settle();
    expect(events).toEqual(['up at 0']);
    const [first] = made;
    if (first !== undefined) first.isAnswering = false;
    signIn.reconnectNow();
    await clock.pass(1_000);
    expect(events).toEqual(['up at 0', 'timeout, again in 1', 'up at 101']);
  });

  it('says nothing more after it was stopped, even in the middle of dialling', async () => {
    const { clock, events, signIn, made } = setUp('up', 'never');
    signIn.start();
    await settle();
    made[0]?.end(new Fault('tcp', 'lost'));
    await clock.pass(1_000);
    await signIn.stop();
    await clock.pass(1_000_000);
    expect(events).toEqual(['up at 0', 'tcp, again in 1']);
    expect(clock.timers).toBe(0);
  });

  it('closes what comes up after it was stopped', async () => {
    const { clock, events, made, signIn } = setUp('late');
    signIn.start();
    await settle();
    await signIn.stop();
    await clock.pass(60_000);
    expect(made.map(({ isOpen }) => isOpen)).toEqual([false]);
    expect([events, signIn.connection]).toEqual([[], undefined]);
  });

  it('signs out when it is stopped', async () => {
    const { signIn, made } = setUp('up');
    signIn.start();
    await settle();
    await signIn.stop();
    expect(made[0]?.isOpen).toBe(false);
  });
});
