import { describe, expect, it } from 'vitest';
import { broken, isWell, judgeFiles, judgeGit, judgeService, judgeWatches, notTried } from '../../../src/agent/doctor-format.ts';

const WATCHES = { limit: 1000, used: 100, byAgent: 40, instances: 3, maxInstances: 128, isPartial: false };
const SERVICE = { name: 'git-xmpp.service', logCommand: 'journalctl', isInstalled: true, isEnabled: true, isActive: true, isFailing: false, words: 'active (running)' };

describe('judgeGit', () => {
  it.each([
    [[2, 38, 0] as const, 'ok'],
    [[2, 37, 7] as const, 'broken'],
    [undefined, 'broken'],
  ])('takes %j as %s', (version, state) => {
    expect(judgeGit(version)).toMatchObject({ id: 'git', state });
  });
});

describe('judgeFiles', () => {
  it('gives the command that closes what is open to others, and counts the rest', () => {
    const found = ['a', 'b'].map((path) => ({ path, why: 'is open to others (0644)', remedy: `chmod 600 '${path}'` }));
    expect(judgeFiles('/home', found)).toMatchObject({ state: 'warn', words: 'a is open to others (0644), and 1 more', remedy: "chmod 600 'a'" });
  });

  it('takes what belongs to another user for broken', () => {
    expect(judgeFiles('/home', [{ path: 'a', why: 'belongs to another user' }])).toMatchObject({ state: 'broken', code: 'permissions' });
  });
});

describe('judgeWatches', () => {
  it('is well far from the limit, and where there is none', () => {
    expect(judgeWatches(WATCHES)).toMatchObject({ state: 'ok', words: '100 of 1000 watched folders are used, 40 of them by the agent' });
    expect(judgeWatches(undefined).state).toBe('ok');
  });

  it('warns near it, of folders and of programs', () => {
    expect(judgeWatches({ ...WATCHES, used: 950 })).toMatchObject({ state: 'warn', code: 'watch-limit', remedy: 'sudo sysctl fs.inotify.max_user_watches=1048576' });
    expect(judgeWatches({ ...WATCHES, instances: 127 })).toMatchObject({ state: 'warn', remedy: 'sudo sysctl fs.inotify.max_user_instances=256' });
  });

  it('is broken once a repository could not be watched, whatever the count says', () => {
    expect(judgeWatches({ ...WATCHES, isPartial: true }, ['/r is not watched'])).toMatchObject({ state: 'broken', words: expect.stringMatching(/^\/r is not watched; at least 100 of 1000/) });
    expect(judgeWatches(undefined, ['/r is not watched']).state).toBe('broken');
  });
});

describe('judgeService', () => {
  it.each([
    [undefined, 'ok', /none is installed/],
    [SERVICE, 'ok', /git-xmpp\.service is active \(running\)$/],
    [{ ...SERVICE, lingers: false }, 'ok', /while its user is signed in/],
    [{ ...SERVICE, isFailing: true, words: 'failed (exit-code)' }, 'broken', /does not stay up/],
    [{ ...SERVICE, isActive: false, words: 'inactive (dead)' }, 'warn', /does not run/],
    [{ ...SERVICE, isEnabled: false }, 'warn', /does not begin by itself/],
  ])('of %j says %s', (service, state, words) => {
    expect(judgeService(service)).toMatchObject({ state, words: expect.stringMatching(words) });
  });
});

describe('a report', () => {
  it('is well unless something is broken', () => {
    expect(isWell([judgeGit([2, 39, 0]), ...notTried(['dns'], 'there is no account')])).toBe(true);
    expect(isWell([broken('dns', { code: 'dns', message: 'no such name' })])).toBe(false);
  });
});
