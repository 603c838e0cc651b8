// What a person sets for the whole agent, in files that the real git reads.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunGit } from '../../../src/git/run.ts';
import { Config } from '../../../src/home/config.ts';
import { Settings } from '../../../src/home/settings.ts';
import { parseDirectMode } from '../../../src/home/settings-format.ts';
import type { Fault } from '../../../src/lib/errors.ts';
import { makeHome } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

async function makeSettings() {
  const home = await makeHome();
  const person = makeFolder();
  const runGit = createRunGit({ PATH: process.env['PATH'], HOME: person });
  const config = new Config(home.config, runGit);
  const clock = new VirtualClock();
  const problems: Fault[] = [];
  const settings = new Settings({ config, runGit, clock, onProblem: (fault) => problems.push(fault) });
  return { settings, config, clock, problems, write: (text: string) => writeFileSync(join(person, '.gitconfig'), text) };
}

describe('Settings', () => {
  it('have their defaults where nothing is set', async () => {
    const { settings, problems } = await makeSettings();
    await settings.refresh();
    expect([settings.direct, problems]).toEqual(['private', []]);
  });

  it("are those of the user's git, read again once they may have changed", async () => {
    const { settings, clock, write } = await makeSettings();
    write('[xmpp]\n\tdirect = false\n');
    await settings.refresh();
    expect(settings.direct).toBe('off');
    write('[xmpp]\n\tdirect = public\n');
    await clock.pass(5_001);
    await settings.refresh();
    expect(settings.direct).toBe('public');
  });

  it('are found however their names are written', async () => {
    const { settings, write } = await makeSettings();
    write('[xmpp]\n\tgiveUp = 10m\n[xmpp "limit.peer.Laptop"]\n\tUP = 50k\n');
    await settings.refresh();
    expect([settings.giveUpMs, settings.rate('xmpp.limit.peer.Laptop.up')]).toEqual([600_000, 50_000]);
  });

  it('are those of the home first', async () => {
    const { settings, config, write } = await makeSettings();
    write('[xmpp]\n\tdirect = false\n');
    await config.set('xmpp.direct', 'true');
    await settings.refresh();
    expect(settings.direct).toBe('private');
  });

  it('tell a value that cannot be used once, and keep the default', async () => {
    const { settings, problems, write } = await makeSettings();
    write('[xmpp]\n\tdirect = sometimes\n');
    await settings.refresh();
    expect([settings.direct, settings.direct]).toEqual(['private', 'private']);
    expect(problems.map(({ message }) => message)).toEqual(['xmpp.direct: "sometimes" is none of true, false and public']);
  });

  it('stay as they were when git cannot read the file any more', async () => {
    const { settings, clock, problems, write } = await makeSettings();
    write('[xmpp]\n\tdirect = false\n');
    await settings.refresh();
    write('[xmpp\n');
    await clock.pass(5_001);
    await settings.refresh();
    expect(settings.direct).toBe('off');
    expect(problems).toHaveLength(1);
  });
});

describe('parseDirectMode', () => {
  it.each([
    ['false', 'off'],
    ['OFF', 'off'],
    ['true', 'private'],
    ['1', 'private'],
    ['public', 'public'],
  ])('reads %s as %s', (text, mode) => {
    expect(parseDirectMode(text)).toBe(mode);
  });
});
