// A repository that commits by itself, as its agent runs it.

import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AutoCommit } from '../../../src/agent/auto-commit.ts';
import { Events } from '../../../src/agent/events.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Serial } from '../../../src/lib/serial.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

/** A hundred seconds pass in one. */
const FAST: Clock = {
  now: () => realClock.now() * 100,
  setTimer: (ms, fire) => realClock.setTimer(ms / 100, fire),
};

let repo: TestRepo;
let auto: AutoCommit;
let events: Events;
let serial: Serial;
let hinted: number;

async function start(clock: Clock = realClock): Promise<void> {
  const context = await openAgentRepo(repo);
  events = new Events(realClock, silentLog);
  serial = new Serial();
  hinted = 0;
  auto = new AutoCommit({
    context,
    events,
    clock,
    random: () => 0,
    deviceName: () => 'laptop',
    exclusively: (work) => serial.run(work),
    onCommitted: () => (hinted += 1),
  });
  auto.start();
}

beforeEach(() => {
  repo = makeRepo();
  for (const [key, value] of [['user.name', 'Ann'], ['user.email', 'ann@example.org'], ['xmpp.autoCommit', 'true'], ['xmpp.autoCommitDelay', '50ms']] as const) git(repo.dir, 'config', key, value);
  commit(repo, { a: 'a\n' }, 'one');
});

afterEach(() => auto.stop());

const clean = (): boolean => git(repo.dir, '--no-optional-locks', 'status', '--porcelain') === '';
const said = (type: string): readonly string[] => events.recent.filter((each) => each.type === type).map(({ words }) => words);

async function waiting(words: RegExp): Promise<void> {
  await until(async () => words.test((await auto.status())?.waiting ?? ''));
}

describe('AutoCommit', () => {
  it('commits what changed before it ran, and what changes then', async () => {
    writeFiles(repo.dir, { before: 'before' });
    await start();
    await until(() => said('committed').length === 1);
    writeFiles(repo.dir, { then: 'then', a: 'b\n' });
    await until(() => said('committed').length === 2);
    expect([clean(), hinted]).toEqual([true, 2]);
    expect(git(repo.dir, 'log', '--format=%s')).toBe('changes on laptop\nchanges on laptop\none');
    expect(said('committed')).toEqual(['committed 1 file to main', 'committed 2 files to main']);
  });

  it('commits nothing when somebody else has committed or checked out', async () => {
    await start();
    writeFiles(repo.dir, { probe: 'x' });
    await until(() => said('committed').length === 1);
    await serial.run(async () => {
      commit(repo, { b: 'b', c: 'c' }, 'by hand');
      git(repo.dir, 'reset', '-q', '--hard', 'HEAD~1');
      return Promise.resolve();
    });
    writeFiles(repo.dir, { last: 'x' });
    await until(() => said('committed').length === 2);
    expect(git(repo.dir, 'show', '--format=', '--name-only', 'HEAD')).toBe('last');
  });

  it('waits in words, told once, and goes on by a hint', async () => {
    await start();
    writeFiles(repo.dir, { staged: 'x' });
    git(repo.dir, 'add', 'staged');
    await waiting(/something is staged \(staged\)/);
    auto.hint('work');
    auto.hint('refs');
    git(repo.dir, 'restore', '--staged', '.');
    auto.hint('work');
    await until(() => said('committed').length === 1);
    expect((await auto.status())?.waiting).toBeUndefined();
    expect(said('commit-waits')).toHaveLength(1);
  });

  it('names large files, and files that are empty folders, in its status', async () => {
    git(repo.dir, 'config', 'xmpp.autoCommitMaxSize', '10');
    await start();
    writeFiles(repo.dir, { 'large.bin': 'x'.repeat(11), 'empty/x': 'x' });
    rmSync(join(repo.dir, 'empty/x'));
    await until(() => said('left-out').length === 1);
    writeFiles(repo.dir, { ok: 'ok' });
    await until(() => said('committed').length > 0);
    expect((await auto.status())?.leftOut).toEqual([expect.stringMatching(/^large\.bin has 11 bytes, more than xmpp\.autoCommitMaxSize \(10\)/), 'empty is empty: git keeps no empty folder']);
    expect(said('left-out')).toHaveLength(1);
  });

  it('begins and ends as the configuration says', async () => {
    git(repo.dir, 'config', 'xmpp.autoCommit', 'false');
    await start();
    writeFiles(repo.dir, { x: 'x' });
    git(repo.dir, 'config', 'xmpp.autoCommit', 'true');
    auto.hint('config');
    await until(clean);
    git(repo.dir, 'config', 'xmpp.autoCommit', 'nonsense');
    auto.hint('config');
    auto.hint('config');
    await until(async () => (await auto.status()) === undefined);
    expect(said('bad-setting')).toEqual(['xmpp.autoCommit: "nonsense" is neither true nor false; its default holds']);
  });

  it('takes no notice of an ignored file, however often it is written', async () => {
    commit(repo, { '.gitignore': '*.log\n' }, 'ignore');
    let looks = 0;
    await start();
    writeFiles(repo.dir, { probe: 'x' });
    await until(() => said('committed').length === 1);
    const run = serial.run.bind(serial);
    serial.run = (work) => {
      looks += 1;
      return run(work);
    };
    for (let turn = 0; turn < 20; turn += 1) {
      appendFileSync(join(repo.dir, 'x.log'), 'x');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    writeFiles(repo.dir, { last: 'x' });
    await until(() => said('committed').length === 2);
    expect(looks).toBeLessThan(3);
  });

  it('says where it is left when the folder is gone, and does not end', async () => {
    await start();
    writeFiles(repo.dir, { probe: 'x' });
    await until(() => said('committed').length === 1);
    renameSync(repo.dir, `${repo.dir}-away`);
    auto.hint('work');
    renameSync(`${repo.dir}-away`, repo.dir);
    writeFileSync(join(repo.dir, 'back'), 'x');
    auto.start();
    git(repo.dir, 'config', 'xmpp.autoCommitMessage', 'other words');
    auto.hint('config');
    await until(clean);
    expect(git(repo.dir, 'log', '-1', '--format=%s')).toBe('other words');
  });

  it('names a file that is written for ever, commits the others without it, and takes it once it is left alone', async () => {
    git(repo.dir, 'config', 'xmpp.autoCommitDelay', '5s');
    await start(FAST);
    await until(async () => (await auto.status()) !== undefined);
    let isWriting = true;
    const log = (): void => {
      appendFileSync(join(repo.dir, 'log'), 'x');
      if (isWriting) setTimeout(log, 2);
    };
    log();
    await until(() => said('unsettled').length === 1);
    expect(said('unsettled')[0]).toMatch(/^log is still being written after a minute/);
    writeFiles(repo.dir, { other: 'x' });
    await until(() => said('committed').length === 1);
    expect(git(repo.dir, 'show', '--format=', '--name-only', 'HEAD')).toBe('other');
    expect((await auto.status())?.leftOut).toEqual(['log is still being written']);
    isWriting = false;
    await until(() => said('committed').length === 2);
    expect((await auto.status())?.leftOut).toEqual([]);
  });

  it('commits nothing in a bare repository', async () => {
    repo = makeRepo({ isBare: true });
    await start();
    expect(await auto.status()).toBeUndefined();
  });
});
