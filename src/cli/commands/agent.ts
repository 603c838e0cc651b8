// The commands of the agent: how it stands, what it did, its life. Rule: as src/cli/command.ts says, data; what a command does lies beside it in src/cli.

import { CHECK_IDS } from '../../agent/doctor-format.ts';
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

const DOCTOR = command({
  name: 'doctor',
  group: 'The agent',
  summary: 'try every link of the chain, and say what is broken and what to do',
  description: [
    'Tries for real, and says in a line each: git, the files of the home, watched folders, the service; configuration, account and password; the server\'s name, TCP, TLS and its certificate, the sign-in, stream management, limits, its clock, PEP, one byte each way through every SOCKS5 proxy, rate and delay in-band; the agent, each repository, and each peer by a round trip over its link.',
    'It signs in beside the agent under a resource of its own and disturbs nothing; in-band it sends at most 350 kB. It comes to its end also without an account, an agent or a network: what stands on a broken link is told as not tried. A server that holds back what is sent, and a peer that is off, are warnings.',
    'With `--json` it gives one object: `version` (1), `at`, `isWell`, and `checks`, each with `id`, `state` (`ok`, `warn`, `broken` or `not-tried`), `words`, and where there are any `about`, `code`, `remedy` and `facts`. A code is that of an error (`git xmpp help errors`), or `watch-limit`, `clock` or `no-proxy`. The ids are ' +
      `${CHECK_IDS.map((id) => `\`${id}\``).join(', ')}.`,
    '`--bundle` also writes a support file, in plain text for its owner alone, and says what is in it: versions, what the doctor found, status, the last events, settings and the end of the log. It holds no password, key or code. Names of accounts, servers, devices, repositories, branches and paths are replaced, the same one always by the same word, unless `--names` keeps them; a file named within a sentence may still be there, so read it before you send it. Another file is never written over.',
  ],
  arguments: [{ name: 'file', isOptional: true, completes: 'file' }],
  options: [
    { name: 'json', says: 'One object, for programs.' },
    { name: 'bundle', says: 'Write a support file without secrets, to <file> or to one named after the time.' },
    { name: 'names', says: 'With `--bundle`: keep names and paths as they are.' },
  ],
  examples: [
    { line: 'git xmpp doctor', says: 'what is wrong, and what to do' },
    { line: 'git xmpp doctor --bundle help-me.json', says: 'a file to send to whoever helps' },
  ],
  exits: [{ code: 1, says: 'Something is broken; warnings alone end with 0.' }],
  run: async ({ door, world }, [file], options) => (await import('../doctor.ts')).doctor(door(), world, { ...options, file }),
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

export const AGENT_COMMANDS: readonly CommandSpec[] = [STATUS, EVENTS, LOG, DOCTOR, DAEMON, SERVICE, PUSH_TO_CHECKOUT];
