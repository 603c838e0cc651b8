import { describe, expect, it } from 'vitest';
import { hubFault, isHubName, parseListing, parsePushed } from '../../../src/git/hub-format.ts';

const oid = '12'.repeat(20);

describe('isHubName', () => {
  it.each(['origin', 'a/b', 'usb stick'.replace(' ', '-'), 'überall'])('takes %s', (name) => {
    expect(isHubName(name)).toBe(true);
  });

  it.each(['--upload-pack=x', 'a=b', 'a..b', 'a b', 'a.lock', ''])('refuses "%s"', (name) => {
    expect(isHubName(name)).toBe(false);
  });
});

describe('parsePushed', () => {
  it('reads what went through, whatever it did there', () => {
    const text = ['To ../hub.git', ` \t${oid}:refs/heads/a\t1..2`, `*\t${oid}:refs/heads/b\t[new branch]`, `+\t${oid}:refs/heads/c\t1...2 (forced update)`, '-\t:refs/heads/d\t[deleted]', `=\t${oid}:refs/heads/e\t[up to date]`, 'Done', ''].join('\n');
    expect([...parsePushed(text, '')].map(([ref, result]) => `${ref} ${typeof result === 'string' ? result : ''}`)).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => `refs/heads/${name} done`));
  });

  it.each(['[rejected] (non-fast-forward)', '[rejected] (fetch first)', '[rejected] (stale info)', '[rejected] (already exists)', '[remote rejected] (failed to update ref)', '[remote rejected] (cannot lock ref \'refs/heads/a\': is at 1 but expected 2)', '[remote rejected] (incorrect old value provided)'])(
    'takes for a lost race: %s',
    (summary) => {
      expect([...parsePushed(`!\t${oid}:refs/heads/a\t${summary}\n`, '').values()]).toEqual(['stale']);
    },
  );

  it("gives what the hub declined with its own words, which are bounded and hold no password", () => {
    const stderr = `remote: not on Fridays, see https://x:secret@host/why        \nremote: \nremote: error: hook declined to update refs/heads/a\nremote: ${'z'.repeat(500)}\n`;
    const [result] = parsePushed(`!\t${oid}:refs/heads/a\t[remote rejected] (pre-receive hook declined)\n`, stderr).values();
    const words = typeof result === 'object' ? result.declined : '';
    expect(words).toMatch(/^pre-receive hook declined: not on Fridays, see https:\/\/<redacted>@host\/why: zzz/);
    expect(words.length).toBeLessThanOrEqual(201);
  });

  it.each(['', '!\tx', `!\t${oid}:HEAD\t[rejected] (stale info)`, `?\t${oid}:refs/heads/a\tx`, `!\t${oid}:refs/heads/a..b\tx`])('makes nothing of %j', (line) => {
    expect(parsePushed(line, '').size).toBe(0);
  });
});

describe('parseListing', () => {
  it('reads branches and tags, and nothing else', () => {
    const text = `${oid}\tHEAD\n${oid}\trefs/heads/main\n${oid}\trefs/pull/1/head\n${oid}\trefs/tags/v1\n${oid}\trefs/heads/a..b\nxy\trefs/heads/x\n`;
    expect([...parseListing(text)]).toEqual([['refs/heads/main', oid], ['refs/tags/v1', oid]]);
  });
});

describe('hubFault', () => {
  it.each([
    ['Host key verification failed.', 'permissions', 'person', /its host key is not known.*/],
    ["fatal: could not read Username for 'https://host': terminal prompts disabled", 'wrong-password', 'person', /wants a password or key/],
    ['git@host: Permission denied (publickey).', 'wrong-password', 'person', /wants a password or key/],
    ['ssh: Could not resolve hostname nowhere: Name or service not known', 'tcp', 'passing', /cannot be reached/],
    ['ssh: connect to host h port 22: Connection refused', 'tcp', 'passing', /cannot be reached/],
    ["fatal: '/gone.git' does not appear to be a git repository", 'no-such-repo', 'person', /no such repository/],
    ['remote: fatal: write error: No space left on device', 'disk-full', 'passing', /no space is left/],
    ["fatal: detected dubious ownership in repository at '/x'", 'permissions', 'person', /another user/],
    ['fatal: the remote end hung up unexpectedly', 'git', 'passing', /hung up/],
  ] as const)('names the hub, and what mends it: %s', (words, code, kind, says) => {
    const fault = hubFault('origin', { words });
    expect(fault).toMatchObject({ code, kind });
    expect(fault.message).toMatch(/^origin: /);
    expect(fault.message).toMatch(says);
    expect(fault.remedy).toBeTruthy();
  });

  it('never holds a password that git was given in a URL', () => {
    const { message } = hubFault('origin', { words: "unable to access 'https://anna:hunter2@host/x/': Could not resolve host: host" });
    expect(message).not.toContain('hunter2');
    expect(message).toContain('https://<redacted>@host/x/');
  });
});
