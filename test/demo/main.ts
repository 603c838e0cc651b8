// `npm run demo`: the main job on real parts, told as it goes (README). Rule: exit code 0 means that all of it was checked; whatever the
// end (also Ctrl-C), no process and no file is left.

import { Failure, perform } from './act.ts';
import type { Act, Row } from './act.ts';
import { clone, share } from './clone.ts';
import { commits, push, status } from './commits.ts';
import { pair, signIn } from './meet.ts';
import { formatTime, Screen } from './screen.ts';
import { seen } from './seen.ts';
import { ACCOUNT, StageHand } from './stage.ts';

const ACTS: readonly Act[] = [signIn, pair, share, clone, commits, push, status, seen];
const OPENING = { name: 'Start a private XMPP server', expects: 'Prosody answers on a free port' };
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const LOG_LINES = 12;

/** Somebody wants it to end. */
class Interruption extends Error {
  readonly exitCode: number;

  constructor(name: string, exitCode: number) {
    super(name);
    this.exitCode = exitCode;
  }
}

async function run(): Promise<number> {
  const screen = new Screen(process.stdout, process.env);
  const hand = new StageHand();
  const start = performance.now();
  screen.line('git-xmpp: two devices, one XMPP account, no git server', 'bold');
  const playing = playAll(hand, screen);
  let exitCode = 0;
  try {
    await Promise.race([playing, interruption()]);
  } catch (error) {
    exitCode = tell(error, hand, screen);
    screen.mute();
  }
  const left = await hand.clear(playing);
  for (const complaint of left) process.stderr.write(`not taken down: ${complaint}\n`);
  screen.line();
  if (exitCode === 0 && left.length === 0) screen.done('all of it checked; agents, server and files are gone again', performance.now() - start);
  return left.length === 0 ? exitCode : 1;
}

async function playAll(hand: StageHand, screen: Screen): Promise<void> {
  const { stage } = await perform(OPENING, screen, async () => {
    const stage = await hand.build();
    screen.tell(`Prosody on ${stage.server.host}:${stage.server.port}, TLS, one account: ${ACCOUNT}@${stage.server.domain}`);
    screen.tell('two devices with a home each; the network of one can be cut');
    return { words: 'the server is all that they have in common', stage };
  });
  const rows: Row[] = [];
  for (const act of ACTS) rows.push(...(await perform(act, screen, () => act.play(stage, screen))).rows);
  tabulate(rows, screen);
}

function tabulate(rows: readonly Row[], screen: Screen): void {
  screen.line();
  screen.line(`${'How long it took'.padEnd(40)}${'git-xmpp'.padStart(8)}     git over OpenSSH`, 'bold');
  for (const { what, took, beside } of rows) screen.line(`  ${what.padEnd(38)}${formatTime(took).padStart(8)}     ${describe(beside)}`.trimEnd());
}

function describe(beside: Row['beside']): string {
  if (beside === undefined) return '';
  return beside.took === undefined ? 'no sshd here' : `${formatTime(beside.took).padStart(6)}  ${beside.what}`;
}

/** Rejects on the first signal, and when nobody reads any more; later ones change nothing. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const [name, exitCode] of Object.entries(SIGNALS)) process.on(name, () => reject(new Interruption(name, exitCode)));
    process.stdout.on('error', () => reject(new Interruption('nobody reads', 1)));
  });
}

/** @returns the exit code */
function tell(error: unknown, { devices }: StageHand, screen: Screen): number {
  screen.line();
  if (error instanceof Interruption) {
    screen.warn(`${error.message}: taking everything down`);
    return error.exitCode;
  }
  const { name, expects } = error instanceof Failure ? error.act : { name: 'The demo itself', expects: 'every step to be played' };
  screen.failed(name);
  screen.line(`    expected: ${expects}`);
  const [first = '', ...more] = (error instanceof Error ? error.message : String(error)).trimEnd().split('\n');
  for (const line of [`instead:  ${first}`, ...more]) process.stdout.write(`    ${line}\n`);
  for (const device of devices) {
    screen.line(`    the last lines of ${device.name}'s agent:`);
    for (const line of device.log().trimEnd().split('\n').slice(-LOG_LINES)) process.stdout.write(`      ${line}\n`);
  }
  return 1;
}

// Waits that were broken off would keep the process for their whole time.
process.exit(await run());
