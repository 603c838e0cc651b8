import { describe, expect, it } from 'vitest';
import { createLog, redact, redactLog, silentLog } from '../../../src/lib/log.ts';
import type { Log, LogLevel } from '../../../src/lib/log.ts';

const AT = Date.UTC(2024, 0, 2, 3, 4, 5, 6);
const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';
const INVITE = `git-xmpp:anna@example.org#${SECRET}`;
const AGE = `AGE-SECRET-KEY-1${SECRET.toUpperCase()}`;
const PEM = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`;

function makeLog(level: LogLevel = 'debug'): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog((line) => lines.push(line), level, () => AT), lines };
}

describe('createLog', () => {
  it('writes one line with time, level, words and fields', () => {
    const { log, lines } = makeLog();
    log.info('link up', { peer: 'laptop', tries: 2, isFirst: true, address: undefined });
    expect(lines).toEqual(['2024-01-02T03:04:05.006Z info link up peer=laptop tries=2 isFirst=true']);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = makeLog('info');
    log.debug('a');
    log.info('b');
    log.warn('c');
    expect(lines.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['info b', 'warn c']);
  });

  it('takes over another level while it runs, in all its scopes', () => {
    const lines: string[] = [];
    let level: LogLevel = 'warn';
    const log = createLog((line) => lines.push(line), () => level, () => AT).scope('link');
    log.info('a');
    level = 'debug';
    log.debug('b');
    expect(lines.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['debug link: b']);
  });

  it('marks the lines of a scope, however deep', () => {
    const { log, lines } = makeLog();
    log.scope('link').scope('tls').warn('failed');
    expect(lines[0]).toMatch(/ warn link\.tls: failed$/);
  });

  it('quotes values that are not one word, and keeps every line one line', () => {
    const { log, lines } = makeLog();
    log.info('x', { why: 'no such\nfile', empty: '', said: 'a="b"' });
    expect(lines[0]).toMatch(/ x why="no such\?file" empty="" said="a=\\"b\\""$/);
  });

  it.each(['password', 'secret', 'token', 'code', 'words', 'keyPem', 'credential', 'Passphrase'])('never shows a field called %s', (name) => {
    const { log, lines } = makeLog();
    log.info('x', { [name]: SECRET });
    expect(lines[0]).toMatch(/=<redacted>$/);
    expect(lines[0]).not.toContain(SECRET);
  });

  it.each([INVITE, AGE, PEM])('hides a secret in a harmless field: %j', (value) => {
    const { log, lines } = makeLog();
    log.info('x', { why: `before ${value}` });
    expect(lines[0]).toContain('before');
    expect(lines.join('')).not.toMatch(new RegExp(SECRET, 'i'));
  });

  it('hides a secret in the words too, and keeps them on one line', () => {
    const { log, lines } = makeLog();
    log.scope(AGE).warn(`got ${INVITE} and\n${PEM}`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(new RegExp(SECRET, 'i'));
    expect(lines[0]).not.toContain('\n');
  });
});

describe('redact', () => {
  it('hides a password in a URL, and a token in the place of a user', () => {
    expect(redact('https://anna:secret@host/x and https://ghp_secret@host')).toBe('https://<redacted>@host/x and https://<redacted>@host');
    expect(redact('ssh://git:secret@host/x')).toBe('ssh://git:<redacted>@host/x');
    expect(redact('https://anna:se@cret@host/x and ssh://git:se@cret@host/x')).toBe('https://<redacted>@host/x and ssh://git:<redacted>@host/x');
    expect(redact('ssh://git@host/x, git@host:x, https://host/a@b')).toBe('ssh://git@host/x, git@host:x, https://host/a@b');
  });

  it('hides a token in the query of a URL, and one that is known by how it begins', () => {
    expect(redact('https://host/x?access_token=abc&page=1#b')).toBe('https://host/x?access_token=<redacted>&page=1#b');
    expect(redact('https://host/x?a=1&api-key=abc')).toBe('https://host/x?a=1&api-key=<redacted>');
    for (const token of ['ghp_16C7e42F', 'gho_16C7e42F', 'github_pat_11A_b', 'glpat-x1y2z3']) {
      const hidden = redact(`refused ${token} here`);
      expect(hidden).toMatch(/^refused (?:gh[po]_|github_pat_|glpat-)<redacted> here$/);
    }
    expect(redact('https://host/x?page=1&tokens=2')).toBe('https://host/x?page=1&tokens=2');
  });

  it('keeps what is not secret', () => {
    expect(redact(`use ${INVITE} now`)).toBe('use git-xmpp:anna@example.org#<redacted> now');
    expect(redact('age1qqq and git-xmpp:anna@example.org')).toBe('age1qqq and git-xmpp:anna@example.org');
  });

  it('hides every one of several', () => {
    expect(redact(`${INVITE} ${AGE} ${INVITE}`)).not.toMatch(new RegExp(SECRET, 'i'));
  });

  it('hides an encrypted or named private key to its end', () => {
    expect(redact(`x -----BEGIN RSA PRIVATE KEY-----\n${SECRET}`)).toBe('x -----BEGIN RSA PRIVATE KEY-----<redacted>');
  });
});

describe('redactLog', () => {
  it.each([
    'the password was refused; git xmpp login anna@example.org',
    'signed in jid=anna@example.org/git-xmpp-7mpo5ey4',
    'wrong password',
    'link ended peer=laptop why="the key is another"',
    'a basic setting, v=2, p=3',
    '<auth mechanism="SCRAM-SHA-256">\n  <hidden xmlns="xmpp.js"/>\n</auth>',
    '<publish node="urn:git-xmpp:address:1#0c89c8f1daca2a4517b37fea9d682d47">',
    'request refused route="GET /status" fault=peer-offline',
  ])('keeps what is not secret: %s', (text) => {
    expect(redactLog(text)).toBe(text);
  });

  it('hides a code, which `redact` leaves to people: a branch may be called so', () => {
    expect([redactLog('typed 4-cross-clock twice'), redact('12-fix-this')]).toEqual(['typed <redacted> twice', '12-fix-this']);
  });

  it('hides what stands behind the name of a secret', () => {
    expect(redactLog('password=hunter2 user=anna')).toBe('password=<redacted> user=anna');
    expect(redactLog("token: 'a b' x")).toBe('token: <redacted> x');
  });
});

describe('silentLog', () => {
  it('says nothing in any scope', () => {
    expect(silentLog.scope('a').scope('b')).toBe(silentLog);
    expect([silentLog.debug('a'), silentLog.info('a'), silentLog.warn('a')]).toEqual([undefined, undefined, undefined]);
  });
});
