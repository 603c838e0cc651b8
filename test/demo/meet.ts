// Signing in and pairing, as two people's hands would do it (docs/git-xmpp.1). Rule: each device shows the fingerprint that the other one has.

import { check, timed } from './act.ts';
import type { Act } from './act.ts';
import { ACCOUNT, PASSWORD } from './stage.ts';

export const signIn: Act = {
  name: 'Sign in, on both devices, to the same account',
  expects: 'both agents are online',
  async play({ server, network, laptop, desktop }, screen) {
    const command = `git xmpp login ${ACCOUNT}@${server.domain}`;
    screen.command(laptop.name, command);
    const first = await timed(laptop.login(server, ACCOUNT, PASSWORD));
    screen.command(desktop.name, command);
    const second = await timed(desktop.login(server, ACCOUNT, PASSWORD, network));
    for (const device of [laptop, desktop]) {
      const { account } = await device.status();
      check(account.state === 'online', `${device.name} is ${account.state}`);
      screen.tell(`online as ${account.address ?? ''}`, device.name);
    }
    return { words: 'an agent runs on each, in the background', rows: [{ what: 'sign in, each', took: (first.ms + second.ms) / 2 }] };
  },
};

export const pair: Act = {
  name: 'Pair them by a code',
  expects: 'each device shows the name and the fingerprint of the other',
  async play({ laptop, desktop }, screen) {
    screen.command(laptop.name, 'git xmpp pair');
    const shown = laptop.start('git-xmpp', ['pair']);
    const typed = await shown.line(/^git xmpp pair \d/);
    screen.tell(typed);
    screen.command(desktop.name, typed);
    const { ms, value } = await timed(Promise.all([desktop.xmpp('pair', typed.split(' ')[3] ?? ''), shown.ended]));
    for (const [index, [device, other]] of [[desktop, laptop] as const, [laptop, desktop] as const].entries()) {
      const { account } = await other.status();
      const words = value[index]?.stderr ?? '';
      check(words.includes(`paired with ${other.name} `), `${device.name} says: ${words}`);
      check(words.includes(account.fingerprint), `${device.name} shows another fingerprint than ${account.fingerprint}: ${words}`);
      screen.tell(`paired with ${other.name.padEnd(8)} ${account.fingerprint}`, device.name);
    }
    return { words: "each has pinned the other's key", rows: [{ what: 'pair, code typed to both done', took: ms }] };
  },
};
