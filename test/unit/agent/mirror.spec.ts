// The mirror of a device, as the user's own git sees it.

import { beforeEach, describe, expect, it } from 'vitest';
import { ensureRemote, findRemote, urlOf, writeMirror } from '../../../src/agent/mirror.ts';
import { readGitConfig } from '../../../src/git/repository.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { copyOf, openAgentRepo, refsBelow, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';

const laptop = makeDeviceKey();
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const two = commit(base, { a: '2' }, 'two');
const URL = urlOf('laptop', 'notes');

let agent: AgentRepo;
let counter: number;

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base), { pins: [laptop] });
  counter = 0;
});

const inRepo = (...args: string[]): string => git(agent.repo.dir, ...args);
const remotes = (): Record<string, string> => refsBelow(agent.repo, 'refs/remotes/');

async function hear(refs: Readonly<Record<string, Oid>>, url = URL): Promise<void> {
  counter += 1;
  await takeMap(agent, laptop, { counter, refs: refsOf(refs) });
  await mirror(url);
}

async function mirror(url = URL): Promise<void> {
  const config = await readGitConfig(agent.runGit, agent.repository);
  await writeMirror(agent, laptop.device, { config, url });
}

describe('ensureRemote', () => {
  it('adds a remote of the peer\'s name that plain git can use', async () => {
    expect(await ensureRemote(agent, 'laptop', 'notes')).toBe('laptop');
    expect(inRepo('remote', 'get-url', 'laptop')).toBe('xmpp::laptop/notes');
    expect(inRepo('config', 'remote.laptop.fetch')).toBe('+refs/heads/*:refs/remotes/laptop/*');
  });

  it('uses a remote that has the URL already, whatever it is called', async () => {
    inRepo('remote', 'add', 'origin', URL);
    expect(await ensureRemote(agent, 'laptop', 'notes')).toBe('origin');
    expect(inRepo('remote')).toBe('origin');
  });

  it('takes -2, -3, … where the name is another remote\'s', async () => {
    inRepo('remote', 'add', 'laptop', 'https://example.org/x.git');
    expect(await ensureRemote(agent, 'laptop', 'notes')).toBe('laptop-2');
    expect(await ensureRemote(agent, 'laptop', 'other')).toBe('laptop-3');
    expect(await ensureRemote(agent, 'laptop', 'notes')).toBe('laptop-2');
    expect(inRepo('remote', 'get-url', 'laptop')).toBe('https://example.org/x.git');
    expect(inRepo('config', 'remote.laptop-2.fetch')).toBe('+refs/heads/*:refs/remotes/laptop-2/*');
  });

  it('takes a name for taken of which there is any configuration', async () => {
    inRepo('config', 'remote.laptop.prune', 'true');
    expect(await ensureRemote(agent, 'laptop', 'notes')).toBe('laptop-2');
  });

  it('keeps `git switch` unambiguous beside origin, and leaves a choice of the user alone', async () => {
    await ensureRemote(agent, 'laptop', 'notes');
    expect(inRepo('config', '--default', 'unset', 'checkout.defaultRemote')).toBe('unset');
    inRepo('remote', 'add', 'origin', 'https://example.org/x.git');
    await ensureRemote(agent, 'phone', 'notes');
    expect(inRepo('config', 'checkout.defaultRemote')).toBe('origin');
    inRepo('config', 'checkout.defaultRemote', 'laptop');
    await ensureRemote(agent, 'tower', 'notes');
    expect(inRepo('config', 'checkout.defaultRemote')).toBe('laptop');
  });

  it('lets `git switch` find a branch of origin, though the mirror has it as well', async () => {
    inRepo('remote', 'add', 'origin', 'https://example.org/x.git');
    inRepo('update-ref', 'refs/remotes/origin/topic', one);
    await ensureRemote(agent, 'laptop', 'notes');
    await hear({ topic: two });
    inRepo('switch', '-q', 'topic');
    expect(inRepo('rev-parse', 'HEAD', 'topic@{upstream}').split('\n')).toEqual([one, one]);
  });
});

describe('findRemote', () => {
  it('looks at URLs alone, also of remotes with dots in their names', () => {
    const config = new Map([
      ['remote.a.b.url', ['x', 'xmpp::laptop/notes']],
      ['remote.c.pushurl', ['xmpp::phone/notes']],
      ['url.xmpp::phone/notes.insteadof', ['y']],
    ]);
    expect(findRemote(config, 'xmpp::laptop/notes')).toBe('a.b');
    expect(findRemote(config, 'xmpp::phone/notes')).toBeUndefined();
  });
});

describe('writeMirror', () => {
  it('writes the branches of a map, and no tags', async () => {
    await ensureRemote(agent, 'laptop', 'notes');
    await hear({ main: two, 'topic/one': one, 'refs/tags/v1': one });
    expect(remotes()).toEqual({ 'laptop/main': two, 'laptop/topic/one': one });
    expect(inRepo('branch', '-r')).toContain('laptop/topic/one');
    expect(refsBelow(agent.repo, 'refs/tags/')).toEqual({});
  });

  it('follows every move, and removes what is gone', async () => {
    await ensureRemote(agent, 'laptop', 'notes');
    await hear({ main: two, topic: one });
    await hear({ main: one });
    expect(remotes()).toEqual({ 'laptop/main': one });
    await hear({});
    expect(remotes()).toEqual({});
  });

  it('follows a branch whose new name needs the place of the old one', async () => {
    await ensureRemote(agent, 'laptop', 'notes');
    await hear({ topic: one });
    await hear({ 'topic/one': one });
    await hear({ topic: two });
    expect(remotes()).toEqual({ 'laptop/topic': two });
  });

  it('writes only where the remote\'s own fetch refspec says', async () => {
    inRepo('config', 'remote.mine.url', URL);
    inRepo('config', 'remote.mine.fetch', '+refs/heads/*:refs/remotes/elsewhere/deep/*');
    await hear({ main: two });
    expect(remotes()).toEqual({ 'elsewhere/deep/main': two });
  });

  it.each([
    ['one branch alone', '+refs/heads/main:refs/remotes/mine/main'],
    ['local branches, as a bare mirror', '+refs/*:refs/*'],
    ['branches of ours', '+refs/heads/*:refs/heads/*'],
    ['another place of theirs', '+refs/other/*:refs/remotes/mine/*'],
  ])('writes nothing where it fetches %s', async (_name, fetch) => {
    inRepo('config', 'remote.mine.url', URL);
    inRepo('config', 'remote.mine.fetch', fetch);
    await hear({ main: one, topic: two });
    expect(remotes()).toEqual({});
    expect(refsBelow(agent.repo, 'refs/heads/')).toEqual({ main: two });
  });

  it('writes nothing where there is no remote for that device', async () => {
    inRepo('remote', 'add', 'laptop', 'https://example.org/x.git');
    inRepo('update-ref', 'refs/remotes/laptop/main', one);
    await hear({ main: two });
    expect(remotes()).toEqual({ 'laptop/main': one });
  });

  it('leaves what a clone has just fetched until there is a map', async () => {
    inRepo('remote', 'add', 'origin', URL);
    inRepo('update-ref', 'refs/remotes/origin/main', two);
    await mirror();
    expect(remotes()).toEqual({ 'origin/main': two });
    await hear({ topic: one });
    expect(remotes()).toEqual({ 'origin/topic': one });
  });

  it('leaves the HEAD that a clone has made', async () => {
    inRepo('remote', 'add', 'origin', URL);
    await hear({ main: two });
    inRepo('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
    await hear({ main: one });
    expect(inRepo('symbolic-ref', 'refs/remotes/origin/HEAD')).toBe('refs/remotes/origin/main');
    expect(remotes()).toEqual({ 'origin/HEAD': one, 'origin/main': one });
  });

  it('takes no other remote\'s refs for its own', async () => {
    inRepo('remote', 'add', 'lap', 'https://example.org/x.git');
    inRepo('update-ref', 'refs/remotes/lap/main', one);
    inRepo('update-ref', 'refs/remotes/laptop-2/main', one);
    await ensureRemote(agent, 'laptop', 'notes');
    await hear({ topic: two });
    expect(remotes()).toEqual({ 'lap/main': one, 'laptop-2/main': one, 'laptop/topic': two });
  });
});
