// What a person is offered at a tab, in the three shells, beside the table that the commands are made from.
// Rule: real shells, and names of real devices and repositories from a running agent.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandSpec } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { FAULT_CATALOGUE } from '../../src/lib/fault-catalogue.ts';
import { Device } from '../helpers/device.ts';
import { offersOf, SHELLS } from '../helpers/shells.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const shown = COMMANDS.filter(({ isHidden }) => !isHidden);

let setting: TwoDevices;

beforeAll(async () => {
  setting = await startTwoDevices();
  await shareNotes(setting);
  await mkdir(setting.desktop.path('folder'));
});

afterAll(() => setting?.stop());

/** A line for every command, option with choices, and word with choices, and what the table says there. */
function expectedOf(): Map<string, readonly string[]> {
  const expected = new Map<string, readonly string[]>([['git xmpp ', shown.map(({ name }) => name)]]);
  expected.set('git-xmpp ', shown.map(({ name }) => name));
  for (const spec of shown) {
    expected.set(`git xmpp ${spec.name} --`, [...spec.options.map(({ name }) => `--${name}`), '--help']);
    for (const { name, choices } of spec.options) if (choices !== undefined) expected.set(`git-xmpp ${spec.name} --${name} `, choices);
    spec.arguments.forEach(({ choices }, place) => {
      if (choices !== undefined) expected.set(`git xmpp ${spec.name} ${wordsBefore(spec, place)}`, choices);
    });
  }
  return expected.set('git xmpp help ', [...shown.map(({ name }) => name), 'errors', ...Object.keys(FAULT_CATALOGUE)]);
}

function wordsBefore(spec: CommandSpec, place: number): string {
  return spec.arguments.slice(0, place).map(({ choices: [first = 'x'] = [] }) => `${first} `).join('');
}

/** Lines where the agent is asked, or the file system, and what is there on the desktop. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'git xmpp rename ': ['laptop'],
  'git xmpp rename d': [],
  'git-xmpp repos la': ['laptop'],
  'git xmpp grant laptop ': ['notes'],
  'git xmpp share --with ': ['laptop'],
  'git xmpp share --write --join ': ['laptop/'],
  'git xmpp clone ': ['laptop/'],
  'git-xmpp clone laptop/': ['laptop/notes'],
  'git xmpp clone nobody/': [],
  'git xmpp share fol': ['folder'],
  'git-xmpp unshare fol': ['folder'],
};

describe.each(SHELLS)('%s', (shell) => {
  it('offers what the table has: every command, option and choice', async () => {
    const expected = expectedOf();
    const offers = await offersOf(shell, setting.desktop, [...expected.keys()]);
    const sorted = Object.fromEntries([...expected].map(([line, words]) => [line, [...new Set(words)].sort((one, other) => (one < other ? -1 : 1))]));
    const ours = Object.entries(offers).map(([line, words]) => [line, line.endsWith('--') ? words.filter((word) => word.startsWith('--')) : words]);
    expect(Object.fromEntries(ours)).toEqual(sorted);
  });

  it('offers the peers and repositories that the running agent knows, and folders where one is meant', async () => {
    const offers = await offersOf(shell, setting.desktop, Object.keys(NAMES));
    const bare = Object.entries(offers).map(([line, words]) => [line, words.map((word) => word.replace(/^folder\/$/, 'folder'))]);
    expect(Object.fromEntries(bare)).toEqual(NAMES);
  });
});

describe('the names that shells ask for', () => {
  it('are none, at once and without a word, where no agent runs, and none is started', async () => {
    const alone = await new Device('alone').prepare();
    try {
      expect(await alone.run('git-xmpp', ['names', 'peer'])).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await alone.run('git-xmpp', ['names', 'peer/repo', 'laptop/'], { env: { GIT_XMPP_HOME: `/${'x'.repeat(200)}` } })).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(existsSync(alone.home)).toBe(false);
    } finally {
      await alone.remove();
    }
  });
});
