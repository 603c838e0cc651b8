// The commands that hold the agent, and by which programs drive it. Rule: as src/cli/command.ts says, data; what a command does lies beside it in src/cli.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const PAUSE = command({
  name: 'pause',
  group: 'The agent',
  summary: 'let everything stand still, or one repository',
  description: [
    'Nothing is sent, taken in or committed, and no hub is asked; what is under way is cut short, and goes on where it was after `resume`. With everything paused the links close and the agent signs out of the server.',
    'It holds over a restart of the agent, and ends by itself at its time, also when the machine sleeps then. Other devices are told that the repository is paused; a plain `git fetch` or `git push` to a peer in it says so too.',
    'A duration is a whole number and a unit: `90s`, `30m`, `2h`, `7d`.',
  ],
  arguments: [{ name: 'duration', isOptional: true }],
  options: [{ name: 'repo', value: 'path', says: 'Only this repository.', default: 'everything', completes: 'folder' }],
  examples: [
    { line: 'git xmpp pause 2h', says: 'on a train with a dear connection' },
    { line: 'git xmpp pause --repo .', says: 'the repository you are in, until you resume it' },
  ],
  run: async ({ door }, [duration], options) => (await import('../pause.ts')).pause(door(), duration, options),
});

const RESUME = command({
  name: 'resume',
  group: 'The agent',
  summary: 'go on after `pause`',
  description: ['Ends every pause, or that of one repository, and compares with the other devices at once.'],
  options: [{ name: 'repo', value: 'path', says: 'Only this repository.', default: 'everything', completes: 'folder' }],
  examples: [
    { line: 'git xmpp resume', says: 'everything' },
    { line: 'git xmpp resume --repo .', says: 'the repository you are in' },
  ],
  run: async ({ door }, _words, options) => (await import('../pause.ts')).resume(door(), options),
});

const REMOTEDAEMON = command({
  name: 'remotedaemon',
  group: 'The agent',
  summary: "git-annex's control protocol, for programs that drive a repository",
  description: [
    "Speaks the protocol of git-annex's remotedaemon in the repository it is started in. With `--foreground` on standard input and output, until standard input ends or says STOP; without it in the background, on two named pipes in the repository's git folder, `xmpp/control` to write to and `xmpp/events` to read from, until `control` is told STOP.",
    'It tells CONNECTED, DISCONNECTED, SYNCING, DONESYNCING and WARNING, with the URL of a remote, percent-encoded, and obeys PAUSE, LOSTNET, RESUME, CHANGED <ref> ..., RELOAD and STOP. What PAUSE or LOSTNET hold is this repository alone, until RESUME or the end.',
  ],
  options: [
    { name: 'foreground', says: 'On standard input and output.' },
    { name: 'remote', value: 'name|url', isRepeated: true, says: 'Tell of these remotes only.', default: 'all that are kept in sync', completes: 'peer' },
  ],
  examples: [
    { line: 'git xmpp remotedaemon --foreground', says: 'as a child of a program that drives it' },
    { line: 'git xmpp remotedaemon', says: 'on pipes; shows where they are' },
  ],
  run: async ({ door, world }, _words, options) => {
    const { runForeground } = await import('../remotedaemon.ts');
    if (options.foreground === true) return runForeground(door(), world.cwd, options.remote ?? []);
    return (await import('../remotedaemon-pipes.ts')).runInBackground(door(), world, options.remote ?? []);
  },
});

/** What runs behind the pipes; its first line says that they are there. */
const REMOTEDAEMON_PIPES = command({
  name: 'remotedaemon-pipes',
  group: 'The agent',
  summary: 'remotedaemon on pipes',
  description: [],
  options: [{ name: 'remote', value: 'name|url', isRepeated: true, says: 'Tell of these remotes only.' }],
  examples: [],
  isHidden: true,
  run: async ({ door, world }, _words, options) => (await import('../remotedaemon-pipes.ts')).runOnPipes(door(), world.cwd, options.remote ?? []),
});

export const CONTROL_COMMANDS: readonly CommandSpec[] = [PAUSE, RESUME, REMOTEDAEMON, REMOTEDAEMON_PIPES];
