// The commands of repositories. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/repos.ts and src/cli/clone.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const SHARE = command({
  name: 'share',
  group: 'Repositories',
  summary: 'keep a repository in sync with your other devices',
  description: [
    'The own devices that can be reached are asked first: one repository with the same first commit is joined, several are listed and nothing is changed, none makes a new one.',
    'Without `--with`, all own devices get it, now and later.',
    'A repository that was moved goes on from where `share` is run next; one on a disk that was taken away goes on when it is back.',
  ],
  arguments: [{ name: 'path', isOptional: true, completes: 'folder' }],
  options: [
    {
      name: 'with',
      value: 'peer|jid',
      isRepeated: true,
      completes: 'peer',
      says: 'With these accounts too, and every device of theirs that is paired. Those named before stay.',
    },
    { name: 'read', oneOf: 'grant', says: 'They may fetch. Without `--with` it is what own devices may do.' },
    { name: 'offer', oneOf: 'grant', default: 'for other accounts', says: 'They may fetch, and offer their own branches.' },
    { name: 'write', oneOf: 'grant', default: 'for own devices', says: 'They may also push to branches.' },
    { name: 'branches', value: 'glob', isRepeated: true, says: 'Show only these branches.' },
    { name: 'join', value: 'peer/repo', oneOf: 'repository', completes: 'peer/repo', says: 'As the same repository as that one.' },
    { name: 'new', oneOf: 'repository', says: 'As a repository of its own, whatever others have.' },
    {
      name: 'folder',
      says:
        'Make it a repository if it is none, take over new branches of other devices as local ones, and set `xmpp.autoCommit` and `xmpp.merge=merge` unless they are set: ' +
        'what changes in it is committed by itself, and merged.',
    },
  ],
  examples: [
    { line: 'git xmpp share', says: 'the repository you are in, with your own devices' },
    { line: 'git xmpp share --with anna@example.net --read', says: 'a friend may fetch' },
    { line: 'git xmpp share --folder ~/Documents', says: 'a folder without git' },
    { line: 'git xmpp share --join laptop/notes', says: 'as the same repository as the one on the laptop' },
  ],
  needsAccount: true,
  run: async ({ door, world }, [path], options) => (await import('../repos.ts')).share(door(), path ?? world.cwd, options),
});

const UNSHARE = command({
  name: 'unshare',
  group: 'Repositories',
  summary: 'share it no more',
  description: ['Shares the repository no more. Its branches and remotes stay as they are, here and elsewhere.'],
  arguments: [{ name: 'path', isOptional: true, completes: 'folder' }],
  examples: [{ line: 'git xmpp unshare', says: 'the repository you are in' }],
  run: async ({ door, world }, [path]) => (await import('../repos.ts')).unshare(door(), path ?? world.cwd),
});

const GRANT = command({
  name: 'grant',
  group: 'Repositories',
  summary: 'what a peer may do with a repository',
  description: [
    'What a peer, or with a JID every device of an account, may do with a repository.',
    '`read`: fetch. `offer`: also offer its own branches. `write`: also push to branches, forward only. `none`: not see it.',
    'It counts at once: a fetch or push that it allows no more ends.',
  ],
  arguments: [
    { name: 'peer', completes: 'peer' },
    { name: 'repo', completes: 'repo' },
    { name: 'level', choices: ['read', 'offer', 'write', 'none'] },
  ],
  options: [{ name: 'branches', value: 'glob', isRepeated: true, default: 'all that are shared', says: 'With these branches alone.' }],
  examples: [
    { line: 'git xmpp grant desktop notes read', says: 'it may fetch, and no more' },
    { line: "git xmpp grant anna notes write --branches main 'release/*'", says: 'these branches, and no others' },
    { line: 'git xmpp grant anna@example.net notes none', says: 'not hers any more' },
  ],
  run: async ({ door }, [peer, repo, level], { branches = [] }) => (await import('../repos.ts')).grant(door(), { peer, repo, level, branches }),
});

const REPOS = command({
  name: 'repos',
  group: 'Repositories',
  summary: 'what is shared here, or what a peer shows',
  description: ['The repositories that are shared here, with their folders; with a peer, those that it shows to this device, and which of them are paused or cannot be opened there at the moment.'],
  arguments: [{ name: 'peer', isOptional: true, completes: 'peer' }],
  examples: [
    { line: 'git xmpp repos', says: 'what is shared here' },
    { line: 'git xmpp repos laptop', says: 'what can be cloned from the laptop' },
  ],
  run: async ({ door }, [peer]) => (await import('../repos.ts')).listRepos(door(), peer),
});

const CLONE = command({
  name: 'clone',
  group: 'Repositories',
  summary: 'clone a repository of a peer, and share the clone',
  description: [
    'Clones a repository of a peer, and shares the clone; if the peer is of another account, with that account.',
    'A repository above 1 MiB is received by the agents, in slices that are kept: interrupted, the same command goes on, and the agents go on meanwhile. It then stands as `git clone` leaves it.',
  ],
  arguments: [
    { name: 'peer/repo', completes: 'peer/repo' },
    { name: 'dir', isOptional: true, completes: 'folder' },
  ],
  examples: [
    { line: 'git xmpp clone laptop/notes', says: 'into the folder notes' },
    { line: 'git xmpp clone laptop/notes ~/work/notes', says: 'into another one' },
  ],
  exits: [{ code: 130, says: 'Interrupted; what has come is kept.' }],
  needsAccount: true,
  run: async ({ door, world }, [what, dir]) => (await import('../clone.ts')).clone(door(), world, what, dir),
});

const SYNC = command({
  name: 'sync',
  group: 'Repositories',
  summary: 'compare with all peers now',
  description: ['Compares with all peers and hubs now, and waits until those that are there have what they lacked. Without a path: every shared repository.'],
  arguments: [{ name: 'path', isOptional: true, completes: 'folder' }],
  examples: [
    { line: 'git xmpp sync', says: 'everything' },
    { line: 'git xmpp sync .', says: 'the repository you are in' },
  ],
  run: async ({ door }, [path]) => (await import('../repos.ts')).sync(door(), path),
});

export const REPOSITORY_COMMANDS: readonly CommandSpec[] = [SHARE, UNSHARE, GRANT, REPOS, CLONE, SYNC];
