import { describe, expect, it } from 'vitest';
import { formatSettings, Scrubber, withoutCommits } from '../../../src/cli/bundle-format.ts';
import type { KnownNames } from '../../../src/cli/bundle-format.ts';

function makeScrubber(names: KnownNames = {}, more: { readonly secrets?: readonly string[]; readonly keepsNames?: boolean } = {}): Scrubber {
  return new Scrubber({ secrets: [], homeDir: '/home/anna', keepsNames: false, ...more, names });
}

describe('Scrubber', () => {
  it('takes secrets out in every form that a text may give them', () => {
    const secret = 'pass "wörd/1';
    const scrubber = makeScrubber({}, { secrets: [secret], keepsNames: true });
    for (const form of [secret, JSON.stringify(secret), encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      const clean = scrubber.text(`said ${form} once`);
      expect(clean).toMatch(/^said .*<secret>.* once$/);
      expect(clean).not.toContain('rd/1');
    }
  });

  it('takes out what looks like a secret that nobody knows', () => {
    const scrubber = makeScrubber({}, { keepsNames: true });
    expect(scrubber.text('password=hunter22, token: "a b"')).toBe('password=<secret> token: <secret>');
    expect(scrubber.text(`MC4CAQAwBQYDK2VwBCIEI${'Jk'.repeat(20)}=`)).toBe('<secret>');
    expect(scrubber.text('at 3f2a91c3f2a91c3f2a91c3f2a91c3f2a91c3f2a9')).toBe('at 3f2a91c3f2a91c3f2a91c3f2a91c3f2a91c3f2a9');
  });

  it('calls the same thing by the same word, wherever it stands', () => {
    const scrubber = makeScrubber({ peer: ['desktop'], repo: ['notes'], host: ['example.org'], path: ['/srv/notes'], branch: ['main', 'plan-b'] });
    expect(scrubber.text('desktop has notes, anna@example.org/git-xmpp-abc too')).toBe('peer-1 has repo-1, user-1@host-1/resource-1 too');
    expect(scrubber.text('anna@example.org pushed plan-b and main to desktop:/srv/notes')).toBe('user-1@host-1 pushed branch-1 and main to peer-1:path-1');
    expect(scrubber.text('xmpp.example.org at 203.0.113.9, not 127.0.0.1')).toBe('xmpp.host-1 at address-1, not 127.0.0.1');
  });

  it('leaves no path, file or quoted name that it was not told of', () => {
    const scrubber = makeScrubber();
    expect(scrubber.text('/home/anna/work/x and /srv/data/y; taxes.ods, "my plan"; agent.log, "git xmpp login"')).toBe('path-1 and path-2; file-1, "name-1"; agent.log, "git xmpp login"');
    expect(scrubber.text('/usr/bin/git is there')).toBe('/usr/bin/git is there');
  });

  it('keeps names where they are wanted, and secrets out all the same', () => {
    const scrubber = makeScrubber({ peer: ['desktop'] }, { secrets: ['hunter22'], keepsNames: true });
    expect(scrubber.text('desktop of anna@example.org said hunter22')).toBe('desktop of anna@example.org said <secret>');
  });

  it('leaves a line of the log a line of the log', () => {
    const scrubber = makeScrubber({ peer: ['desktop'] });
    const line = '2026-11-25T20:07:26.262Z info events: moved said="no \\"plan\\" on desktop" peer=desktop why="it is off"';
    expect(scrubber.logLine(line)).toBe('2026-11-25T20:07:26.262Z info events: moved said="no \\"name-1\\" on peer-1" peer=peer-1 why="it is off"');
  });

  it('goes through all of an answer, and leaves its fields their names', () => {
    const scrubber = makeScrubber({ repo: ['notes'] });
    expect(scrubber.all({ notes: ['notes'], count: 1, none: null, inner: { path: '/srv/notes/x' } })).toEqual({ notes: ['repo-1'], count: 1, none: null, inner: { path: 'path-1' } });
  });
});

describe('formatSettings', () => {
  it('shows what is known and has its shape; of all else that it is set', () => {
    const scrub = (text: string): string => text.replace('desktop', 'peer-1');
    const settings = [
      ['xmpp.direct', 'false'],
      ['xmpp.limit.peer.desktop.up', '200k'],
      ['xmpp.direct', 'hunter22'],
      ['xmpp.hook.changed', 'curl -u me:hunter22'],
      ['account.strongestmechanism', 'SCRAM-SHA-256-PLUS'],
      ['secret.thing', 'hunter22'],
    ] as const;
    expect(formatSettings(settings, scrub)).toEqual([
      'xmpp.direct = false',
      'xmpp.limit.peer.peer-1.up = 200k',
      'xmpp.direct = <not of the form it should have>',
      'xmpp.hook.changed = <set>',
      'account.strongestmechanism = SCRAM-SHA-256-PLUS',
      'secret.thing = <set>',
    ]);
  });
});

describe('withoutCommits', () => {
  it('counts commits and leaves their subjects out', () => {
    expect(withoutCommits({ branches: [{ branch: 'main', here: [{ oid: 'a', subject: 'secret plan' }], there: [], ahead: 1 }] })).toEqual({
      branches: [{ branch: 'main', here: 1, there: 0, ahead: 1 }],
    });
  });
});
