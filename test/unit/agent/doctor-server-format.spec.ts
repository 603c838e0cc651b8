import { describe, expect, it } from 'vitest';
import { judgeClock, judgeInBand, judgeLimits, judgeManagement, judgeNames, judgeProxies, judgeSignIn, judgeTcp, judgeTls } from '../../../src/agent/doctor-server-format.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { ProbedTarget } from '../../../src/xmpp/probe.ts';

const NOW = Date.UTC(2026, 10, 25);
const DAY = 86_400_000;
const TARGET = { host: 'xmpp.example.org', port: 5222, isDirectTls: false };
const CERTIFICATE = { subject: 'example.org', issuer: 'Example CA', names: ['DNS:example.org'], validFrom: 0, validTo: NOW + 60 * DAY, fingerprint: `12345678${'a'.repeat(56)}` };
const REACHED = { target: TARGET, address: '192.0.2.1:5222', tcpMs: 3 };
const GOOD: ProbedTarget = { ...REACHED, encrypted: { protocol: 'TLSv1.3', certificate: CERTIFICATE, problem: undefined } };
const REFUSED: ProbedTarget = { target: TARGET, fault: new Fault('tcp', 'xmpp.example.org:5222 refused the connection', { remedy: 'check it' }) };
const FACTS = { offered: ['SCRAM-SHA-256'], bindings: [], management: 'on' } as const;

describe('judgeNames', () => {
  const known = { domain: 'example.org', targets: [TARGET], addresses: new Map([[TARGET.host, ['192.0.2.1']]]) };

  it('tells hosts, who named them, and their addresses', () => {
    expect(judgeNames({ ...known, source: 'srv' })).toMatchObject({ state: 'ok', words: 'example.org: xmpp.example.org:5222 (by SRV records) at 192.0.2.1' });
  });

  it('warns where DNS gave no answer, and is broken without any address', () => {
    expect(judgeNames({ ...known, source: 'no-answer' })).toMatchObject({ state: 'warn', code: 'dns' });
    const addresses = new Map([[TARGET.host, new Fault('dns', 'no such name')]]);
    expect(judgeNames({ ...known, source: 'srv', addresses })).toMatchObject({ state: 'broken', code: 'dns', words: 'no such name' });
  });
});

describe('judgeTcp', () => {
  it('needs one host of several', () => {
    expect(judgeTcp([GOOD])).toMatchObject({ state: 'ok', facts: { connectMs: 3 } });
    expect(judgeTcp([REFUSED, GOOD])).toMatchObject({ state: 'warn', words: expect.stringMatching(/answers at 192\.0\.2\.1:5222 in 3 ms; .*refused/) });
    expect(judgeTcp([REFUSED])).toMatchObject({ state: 'broken', code: 'tcp', remedy: 'check it' });
    expect(judgeTcp([])).toMatchObject({ state: 'broken' });
  });
});

describe('judgeTls', () => {
  const noted = { domain: 'example.org', fingerprint: CERTIFICATE.fingerprint, issuer: 'Example CA', since: NOW - DAY, validTo: 0 };

  it('tells whose certificate it is, until when, and since when it is the same', () => {
    expect(judgeTls({ probed: [GOOD], noted, now: NOW })).toMatchObject({ state: 'ok', words: 'TLSv1.3, certificate of example.org by Example CA, until 2027-01-24, SHA-256 12345678…, in use since 2026-11-24' });
  });

  it('says that it is another than before', () => {
    const other = { ...noted, fingerprint: 'b'.repeat(64), issuer: 'Old CA' };
    expect(judgeTls({ probed: [GOOD], noted: other, now: NOW })).toMatchObject({ state: 'ok', words: expect.stringMatching(/another than before \(by Old CA, SHA-256 bbbbbbbb…\)$/) });
  });

  it('warns in its last days', () => {
    expect(judgeTls({ probed: [GOOD], noted, now: CERTIFICATE.validTo - 3 * DAY })).toMatchObject({ state: 'warn', words: expect.stringMatching(/: 3 days are left$/) });
  });

  it('tells of a bad one what it is', () => {
    const fault = new Fault('tls', 'example.org: its certificate is for another name', { remedy: 'check the spelling' });
    expect(judgeTls({ probed: [{ ...GOOD, fault }], noted: undefined, now: NOW })).toMatchObject({
      state: 'broken',
      code: 'tls',
      words: expect.stringMatching(/is for another name: of example\.org by Example CA/),
      remedy: 'check the spelling',
    });
    expect(judgeTls({ probed: [{ ...REACHED, fault: new Fault('no-encryption', 'it offers none') }], noted: undefined, now: NOW })).toMatchObject({ state: 'broken', code: 'no-encryption', words: 'it offers none' });
  });

  it('is content with one good host of several', () => {
    const fault = new Fault('tls', 'bad');
    expect(judgeTls({ probed: [{ ...GOOD, fault }, GOOD], noted, now: NOW }).state).toBe('ok');
  });
});

describe('judgeSignIn', () => {
  const account = { jid: parseBareJid('romeo@example.org') };

  it.each([
    ['SCRAM-SHA-256-PLUS', ['SCRAM-SHA-256-PLUS'], /bound to this TLS session, 4096 rounds/],
    ['SCRAM-SHA-256', ['SCRAM-SHA-256-PLUS'], /not bound to the TLS session/],
    ['SCRAM-SHA-1', ['SCRAM-SHA-1'], /the server offers no channel binding/],
  ])('says of %s whether it is bound, and the rounds', (mechanism, offered, words) => {
    expect(judgeSignIn({ mechanism, facts: { ...FACTS, offered, iterations: 4096 }, tookMs: 20 }, account)).toMatchObject({ state: 'ok', words: expect.stringMatching(words) });
  });
});

describe('what a server is like', () => {
  it('has stream management, or not', () => {
    expect((['on', 'absent', 'offered', 'refused'] as const).map((management) => judgeManagement({ ...FACTS, management }).state)).toEqual(['ok', 'warn', 'warn', 'warn']);
  });

  it('tells limits, or does not, and may be too small', () => {
    expect(judgeLimits(FACTS, 65_536)).toMatchObject({ state: 'ok', words: expect.stringMatching(/does not tell its limits .* 65536 bytes/) });
    expect(judgeLimits({ ...FACTS, maxBytes: 262_144, idleSeconds: 300 }, 262_144)).toMatchObject({ state: 'ok', words: expect.stringMatching(/262144 bytes, ends streams that are silent for 300 s/) });
    expect(judgeLimits({ ...FACTS, maxBytes: 4_000 }, 4_000)).toMatchObject({ state: 'broken', code: 'too-large' });
  });

  it('has a clock that agrees, or not, or none', () => {
    expect(judgeClock(undefined)).toMatchObject({ state: 'ok', words: expect.stringMatching(/does not tell its time/) });
    expect(judgeClock({ aheadMs: -400, withinMs: 501 })).toMatchObject({ state: 'ok' });
    expect(judgeClock({ aheadMs: 90_000, withinMs: 501 })).toMatchObject({ state: 'warn', words: 'this clock is 90 s behind the server\'s' });
    expect(judgeClock({ aheadMs: -90_000, withinMs: 501 })).toMatchObject({ state: 'warn', words: 'this clock is 90 s ahead of the server\'s' });
  });

  it('has proxies that carry, proxies that do not, or none', () => {
    const proxy = { jid: 'proxy.example.org', host: '192.0.2.1', port: 5000 };
    expect(judgeProxies([])).toMatchObject([{ state: 'warn', code: 'no-proxy' }]);
    expect(judgeProxies([{ proxy, result: 5 }, { proxy, result: new Fault('tcp', 'it is down') }])).toMatchObject([
      { state: 'ok', about: 'proxy.example.org', facts: { tookMs: 5 } },
      { state: 'broken', code: 'tcp', words: 'proxy.example.org (192.0.2.1 port 5000) carries nothing: it is down' },
    ]);
  });

  it('throttles, or is slow, or is well', () => {
    const measured = { delayMs: 20, rate: 2_000_000, bytes: 262_144, loadedMs: 40 };
    expect(judgeInBand(measured)).toMatchObject({ state: 'ok', words: expect.stringMatching(/^2\.0 MB\/s/) });
    expect(judgeInBand({ ...measured, rate: 7_200 })).toMatchObject({ state: 'warn', code: 'throttled', words: expect.stringMatching(/throttles .* 7\.2 kB\/s/) });
    expect(judgeInBand({ ...measured, delayMs: 3_000 })).toMatchObject({ state: 'warn', code: 'timeout' });
  });
});
