// The commands of the agent: how it stands, what it did, its life. Rule: as src/cli/command.ts says, data; what a command does lies beside it in src/cli.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';
import { SERVICE } from './service.ts';

const STATUS = command({
  name: 'status',
  group: 'The agent',
  summary: 'how each repository stands on each device',
  description: [
    'How each repository stands on each device and hub: what its link runs over and how far away it is, what moves now and how long it still takes, what waits and why, what went wrong last and what ends it. Of a branch that has diverged, the newest commits that only one side has, and the command that ends it.',
    'A device is <in sync>, <ahead n>, <behind n>, <diverged>, <sending> or <nothing told yet>; where it is away, since when.',
    'A hub is <in sync>, <ahead n>, <behind n>, <diverged>, <waiting since ...>, <not there> or <unknown>.',
  ],
  options: [
    { name: 'json', says: 'The same, for programs; with `--watch` one object a line, whenever something changes.' },
    { name: 'watch', says: 'Goes on until Ctrl-C, and shows what changes.' },
  ],
  examples: [
    { line: 'git xmpp status', says: 'all of it' },
    { line: 'git xmpp status --watch', says: 'live, such as while something large moves' },
    { line: 'git xmpp status --json', says: 'for a program' },
  ],
  run: async ({ door }, _words, options) => (await import('../status.ts')).status(door(), options),
});

const EVENTS = command({
  name: 'events',
  group: 'The agent',
  summary: 'what happened lately',
  description: ['What happened lately: devices that came and went, branches that moved, what failed and why.'],
  options: [
    { name: 'json', says: 'One JSON object a line.' },
    { name: 'follow', says: 'And what happens from now on.' },
  ],
  examples: [
    { line: 'git xmpp events', says: 'the last ones' },
    { line: 'git xmpp events --follow --json', says: 'a stream of objects, for a program' },
  ],
  run: async ({ door }, _words, options) => (await import('../events.ts')).events(door(), options),
});

const LOG = command({
  name: 'log',
  group: 'The agent',
  summary: 'what moved by itself in a repository; or the log of the agent',
  description: [
    'What moved by itself in a repository, newest first, and what a move left behind, with the command that makes a branch of it again.',
    'With `--agent` the log of the agent itself, which is kept in its home in two files of at most 5 MB, without secrets and without the names of files and branches; how much it holds is set by `xmpp.logLevel`.',
    'With `--stanzas` what goes between the agent and its server from now on, without secrets and payloads.',
  ],
  arguments: [{ name: 'path', isOptional: true, completes: 'folder' }],
  options: [
    { name: 'json', says: 'The same, for programs.' },
    { name: 'agent', oneOf: 'what', says: 'The log of the agent; also where none runs.' },
    { name: 'stanzas', oneOf: 'what', says: 'The stanzas of the agent that runs, on standard error, until Ctrl-C.' },
    { name: 'follow', says: 'With `--agent`: and what is written from now on.' },
    { name: 'level', value: 'level', choices: ['debug', 'info', 'warn'], says: 'With `--agent`: nothing below this level.' },
    { name: 'lines', value: 'n', default: '100', says: 'With `--agent`: so many lines of what is there.' },
  ],
  examples: [
    { line: 'git xmpp log', says: 'of the repository you are in' },
    { line: 'git xmpp log --agent --level warn', says: 'what was wrong lately' },
    { line: 'git xmpp log --agent --follow', says: 'what the agent does' },
  ],
  run: async ({ door, world }, [path], options) => (await import('../log.ts')).log(door(), { path, here: world.cwd }, options),
});

const DAEMON = command({
  name: 'daemon',
  group: 'The agent',
  summary: 'the agent in the background; commands start it when they need it',
  description: [
    '`start` the agent, `stop` it, ask for its `status`, or `run` it in the foreground.',
    'In a container, or under another supervisor, `run` is what is started: it writes its log to standard error, ends in order on SIGTERM with 0, with 3 when another agent has this home, with 1 when it cannot run. Keep the home on a volume, and give the container an init of its own (`docker run --init`) for the processes that git leaves.',
    'After an upgrade of git-xmpp an agent in the background goes over to the new program by itself, as soon as nothing is moving; a command of the new version asks it to at once.',
  ],
  arguments: [{ name: 'action', choices: ['start', 'stop', 'status', 'run'] }],
  options: [{ name: 'debug', says: 'With `run`: show its stanzas on standard error, without secrets and payloads.' }],
  examples: [
    { line: 'git xmpp daemon status', says: 'whether one runs' },
    { line: 'git xmpp daemon stop', says: 'until the next command needs it' },
    { line: 'git xmpp daemon run', says: 'in the foreground: what a container runs' },
    { line: 'git xmpp daemon run --debug', says: 'to see what it does' },
  ],
  exits: [
    { code: 1, says: 'With `status`: no agent runs.' },
    { code: 3, says: 'With `run`: another agent runs on this home.' },
  ],
  run: async ({ door, world }, [action], options) => {
    if (options.debug === true) process.env['GIT_XMPP_DEBUG'] = '1';
    return (await import('../daemon.ts')).daemon(door(), world, action);
  },
});

/** What git's hook asks on a plain push to a checked-out branch. */
const PUSH_TO_CHECKOUT = command({
  name: 'push-to-checkout',
  group: 'The agent',
  summary: 'move a checked-out branch for a push',
  description: [],
  arguments: [{ name: 'git-dir' }, { name: 'work-tree' }, { name: 'oid' }],
  examples: [],
  isHidden: true,
  run: ({ door }, [gitDir, workTree, oid]) => door().ask('POST', '/push-to-checkout', { gitDir, workTree, to: oid }),
});

export const AGENT_COMMANDS: readonly CommandSpec[] = [STATUS, EVENTS, LOG, DAEMON, SERVICE, PUSH_TO_CHECKOUT];
