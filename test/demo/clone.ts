// Sharing, and a clone whose connection is cut half-way (docs/PROTOCOL.md). Rule: the same transfer goes on, and what it made is compared
// object for object.

import type { AgentEvent } from '../../src/agent/events.ts';
import type { Device, Ended } from '../helpers/device.ts';
import { check, timed } from './act.ts';
import type { Act } from './act.ts';
import { cloneBeside } from './beside.ts';
import { makeRepository, TAGS } from './repository.ts';
import type { Content } from './repository.ts';
import { formatSize } from './screen.ts';
import { REPO } from './stage.ts';
import type { Stage } from './stage.ts';

/** What becomes of a byte in-band: base64, the stanza around each block, TLS twice. */
const IN_BAND = 1.4;

export const share: Act = {
  name: 'Share a repository',
  expects: 'the laptop shares it',
  async play({ laptop, notes }, screen) {
    content = await makeRepository(laptop, notes);
    const size = formatSize(content.bytes);
    screen.tell(`~/${REPO}: ${content.commits} commits, ${TAGS.length} tags, a merge, ${size} that do not compress`, laptop.name);
    screen.command(laptop.name, `git xmpp share ~/${REPO}`);
    const { ms, value } = await timed(laptop.xmpp('share', notes));
    screen.tell(value.stderr);
    return { words: 'the other device may clone it', rows: [{ what: 'share', took: ms }] };
  },
};

let content: Content = { files: [], messages: [], commits: 0, bytes: 0 };

/** What the repository holds, once it was shared. */
export function contentOf(): Content {
  return content;
}

export const clone: Act = {
  name: 'Clone it, and cut the connection half-way',
  expects: 'it goes on where it was cut, and is the same object for object',
  async play(stage, screen) {
    const { network, laptop, desktop } = stage;
    const before = network.bytes.down;
    const expected = content.bytes * IN_BAND;
    const arrived = (): number => network.bytes.down - before;
    const look = (): { share: number; words: string } => ({ share: arrived() / expected, words: `${formatSize(arrived())} in-band` });
    screen.command(desktop.name, `git xmpp clone laptop/${REPO}`);
    const running = desktop.start('git-xmpp', ['clone', `laptop/${REPO}`]);
    const cloned = timed(running.ended);
    await screen.during(unlessEnded(network.reached('down', before + expected / 2), running.ended), look);
    screen.warn(`${''.padEnd(9)}${formatSize(arrived())} of about ${formatSize(expected)}: its TCP connection to the server is cut`);
    network.cut();
    const resumed = await screen.during(unlessEnded(laptop.event(isResumed), running.ended), look);
    screen.tell(resumed.words, laptop.name);
    const { ms, value } = await screen.during(cloned, look);
    check(value.code === 0, `git xmpp clone ended with ${value.code}: ${value.stderr}`);
    await compare(stage, (words) => screen.tell(words));
    const beside = { took: await cloneBeside(stage), what: 'git clone, not cut' };
    const row = { what: `clone of ${formatSize(content.bytes)}, in-band, cut once`, took: ms, beside };
    return { words: 'one transfer from beginning to end', rows: [row] };
  },
};

function isResumed({ type }: AgentEvent): boolean {
  return type === 'resumed';
}

/** @throws when the clone ends before what is waited for */
async function unlessEnded<T>(wanted: Promise<T>, ended: Promise<Ended>): Promise<T> {
  const early = ended.then(({ code, stderr }): never => {
    throw new Error(`git xmpp clone ended too early, with ${code}: ${stderr}`);
  });
  return Promise.race([wanted, early]);
}

async function compare({ laptop, notes, desktop, copy }: Stage, tell: (words: string) => void): Promise<void> {
  const names = ['main', ...TAGS];
  const [ours, theirs] = await Promise.all([laptop.git(notes, 'rev-parse', ...names), desktop.git(copy, 'rev-parse', ...names)]);
  check(ours === theirs, `${names.join(', ')} differ:\n${ours}\n${theirs}`);
  tell(`git rev-parse ${names.join(' ')}: the same`);
  const [here, there] = await Promise.all([listObjects(laptop, notes), listObjects(desktop, copy)]);
  check(here.length > 0 && here.join('\n') === there.join('\n'), `${here.length} objects on the laptop, ${there.length} on the desktop, or others`);
  const fsck = await desktop.run('git', ['fsck', '--full', '--strict'], { cwd: copy });
  check(fsck.code === 0, `git fsck ended with ${fsck.code}: ${fsck.stderr}`);
  tell(`git rev-list --objects: the same ${here.length}; git fsck --full --strict: clean`);
}

/** Everything that branches and tags lead to. */
async function listObjects(device: Device, dir: string): Promise<string[]> {
  const all = await device.git(dir, 'rev-list', '--objects', '--no-object-names', '--branches', '--tags', '--remotes');
  return all.split('\n').sort();
}
