// How a status reads, at three widths. Rule: what a person has to do stands there as a command.

import { describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../../src/agent/answers.ts';
import { cellsOf, plain } from '../../../src/cli/cells-format.ts';
import { formatStatus, nextCommand } from '../../../src/cli/status-format.ts';
import { LAN, makeAnswer, makeHub, makePeerStatus, makeRepoPeer, makeRepoStatus } from '../../helpers/status-answer.ts';

const NOW = new Date(2024, 4, 2, 14, 30).getTime();
const SINCE = new Date(2024, 4, 2, 14, 2).getTime();
const MOVING = { kind: 'offer', direction: 'down', since: SINCE, bytes: 12_000_000, total: 26_400_000, rate: 1_200_000, leftMs: 12_000 } as const;

function lines(answer: StatusAnswer, width = 80): string[] {
  return formatStatus(answer, { width, isUnicode: true, now: NOW, homeDir: '/home/romeo' }).map(plain);
}

/** Of one repository, what stands below its name. */
function about(repo: Parameters<typeof makeRepoStatus>[0], width = 80): string[] {
  const all = lines(makeAnswer({ repos: [makeRepoStatus(repo)] }), width);
  return all.slice(all.findIndex((line) => line.startsWith('repo')) + 1);
}

const peer = (given: Parameters<typeof makeRepoPeer>[0], width = 80): string[] => about({ peers: [makeRepoPeer(given)] }, width);

describe('formatStatus', () => {
  it('tells of account, device, peers and repositories', () => {
    expect(lines(makeAnswer())).toEqual([
      'account  romeo@example.org  online',
      'device   laptop  0123 4567',
      'peer     desktop  online, direct (lan), 3 ms',
      'repo     notes  ~/notes',
      '  desktop: in sync  direct (lan), 3 ms',
    ]);
  });

  it('puts devices and hubs of a repository in columns', () => {
    const peers = [makeRepoPeer(), makeRepoPeer({ peer: 'phone', isOnline: false, offlineSince: SINCE, state: 'ahead 3', ahead: 3 })];
    expect(about({ peers, hubs: [makeHub({ name: 'usb', state: 'not there', words: '/media/usb is not there; it is synced as soon as it is' })] })).toEqual([
      '  desktop: in sync    direct (lan), 3 ms',
      '  phone:   ahead 3    offline since 14:02, 3 commits wait',
      '  hub usb: not there',
      '    /media/usb is not there; it is synced as soon as it is',
    ]);
  });

  it('tells who has what where it has diverged, how many waits', () => {
    const branch = { branch: 'main', state: 'diverged', ahead: 2, behind: 3, here: [{ oid: 'a'.repeat(40), subject: 'mine' }], there: [], end: 'git merge desktop/main' };
    const told = peer({ state: 'diverged', ahead: 2, behind: 3, branches: [branch as never] });
    expect(told[0]).toBe('  desktop: diverged (2 here, 3 there)  direct (lan), 3 ms');
    expect(told.slice(1)).toEqual([
      '    main has diverged:',
      '      2 commits only here, the newest:',
      '        aaaaaaa mine',
      '      3 commits only on desktop, the newest:',
      '      it ends by: git merge desktop/main',
    ]);
    expect(peer({ isOnline: false, offlineSince: SINCE, state: 'ahead 1', ahead: 1 })[0]).toMatch(/ offline since 14:02, 1 commit waits$/);
  });

  it('shows what moves, in place of a state that nobody knows yet', () => {
    expect(peer({ state: 'unknown', moving: [MOVING] })).toEqual([
      '  desktop: receiving  direct (lan), 3 ms',
      '    receiving  ███████░░░░░░░░░  45 %  12.0 of 26.4 MB  1.2 MB/s  12 s left',
    ]);
    expect(peer({ receiving: { received: 5e6, total: 2e7 }, state: 'unknown', isOnline: false })[1]).toContain('25 %  5.0 of 20.0 MB  nothing moves');
  });

  it('says how a device gets a repository that it does not have', () => {
    expect(peer({ state: 'unknown', isShared: false })).toEqual([
      '  desktop: not there  direct (lan), 3 ms',
      '    it is not there yet; on desktop, type: git xmpp clone laptop/notes',
    ]);
    expect(peer({ state: 'unknown', isShared: false, isOnline: false })).toEqual(['  desktop: not there  offline, never seen']);
  });

  it('says what waits, and what went wrong last with its remedy', () => {
    const error = { at: SINCE, code: 'disk-full', message: 'offering to desktop: no room there', remedy: 'free some space there' };
    expect(peer({ state: 'behind 1', behind: 1, waiting: ['main: a.txt is not committed'], error }).slice(1)).toEqual([
      '    waits: main: a.txt is not committed',
      '    error 14:02: offering to desktop: no room there',
      '      free some space there',
    ]);
    expect(lines(makeAnswer({ peers: [makePeerStatus({ error })], repos: [] })).slice(3)).toEqual(['           error 14:02: offering to desktop: no room there', '             free some space there']);
  });

  it('says what keeps the account, a repository or a hub from being well', () => {
    const fault = { code: 'wrong-password', message: 'the password was refused', remedy: 'git xmpp login romeo@example.org' } as const;
    const account = { ...makeAnswer().account, state: 'offline', fault, retryInMs: 11_500 } as const;
    expect(lines(makeAnswer({ account })).slice(0, 2)).toEqual([
      'account  romeo@example.org  offline: the password was refused; next try in 12 s',
      '         git xmpp login romeo@example.org',
    ]);
    const problem = { code: 'not-a-repository', message: '/home/romeo/notes is not there', remedy: 'moved: git xmpp share <where it is now>' } as const;
    expect(about({ peers: [], problem })).toEqual(['  /home/romeo/notes is not there', '    moved: git xmpp share <where it is now>']);
    const hub = makeHub({ state: 'waiting', since: SINCE, words: 'the host key has changed', mode: 'push', isBusy: true, waiting: ['main: declined there'] });
    expect(about({ peers: [], hubs: [hub] })).toEqual(['  hub origin: waiting  since 14:02, push only, asked now', '    the host key has changed', '    waits: main: declined there']);
  });

  it('says what is paused, until when, and what ends it', () => {
    const pause = { until: NOW + 3_600_000, by: 'person', words: 'paused until 15:30' } as const;
    const peers = [makeRepoPeer({ state: pause.words, isShared: false })];
    expect(about({ peers, pause })).toEqual(['  paused until 15:30; to go on: git xmpp resume --repo ~/notes', '  desktop: paused until 15:30  direct (lan), 3 ms']);
    expect(about({ peers: [], pause: { by: 'program', words: 'paused' } })).toEqual(['  paused; the program that holds it ends that']);
    const all = lines(makeAnswer({ pause, account: { ...makeAnswer().account, state: 'paused' }, repos: [makeRepoStatus({ peers: [], pause })] }));
    expect(all.slice(0, 2)).toEqual(['account  romeo@example.org  paused', 'pause    everything is paused until 15:30; to go on: git xmpp resume']);
    expect(all.at(-1)).toMatch(/^repo /);
  });

  it('says what is set, what cannot be used, and what is not committed by itself', () => {
    const policies = { merge: 'none', words: ['merge=none'], problems: ['xmpp.merge: what'], branches: [], hooks: [] } as never;
    expect(about({ peers: [], policies, autoCommit: { waiting: 'a lock', leftOut: ['big.bin is large'] } })).toEqual([
      '  commits by itself; waits: a lock',
      '  not committed: big.bin is large',
      '  set: merge=none',
      '  not used: xmpp.merge: what',
    ]);
  });

  it('tells rates only where they are of something, and not twice', () => {
    const links = [{ ...LAN, up: 500_000, down: 900 }, { ...LAN, up: 1_000_000 }];
    expect(lines(makeAnswer({ peers: [makePeerStatus({ links })], repos: [] }))[3]).toBe('           1.5 MB/s up');
    const repos = [makeRepoStatus({ peers: [makeRepoPeer({ moving: [MOVING] })] })];
    expect(lines(makeAnswer({ peers: [makePeerStatus({ links })], repos })).join('\n')).not.toContain('/s up');
  });

  it('is readable in 40 columns: columns become lines, nothing is lost', () => {
    const told = peer({ state: 'diverged', ahead: 2, behind: 3, moving: [MOVING], waiting: ['main: both sides have commits that the other lacks'] }, 40);
    expect(told).toEqual([
      '  desktop: diverged (2 here, 3 there)',
      '    direct (lan), 3 ms',
      '    receiving  45 %  1.2 MB/s  12 s left',
      '    waits: main: both sides have commits',
      '      that the other lacks',
    ]);
    expect(told.every((line) => cellsOf(line) <= 40)).toBe(true);
  });

  it('takes names of other scripts by their cells', () => {
    const peers = [makeRepoPeer({ peer: '机' }), makeRepoPeer({ peer: 'abc' })];
    expect(about({ peers })).toEqual(['  机:  in sync  direct (lan), 3 ms', '  abc: in sync  direct (lan), 3 ms']);
  });
});

describe('nextCommand', () => {
  const none = { peers: [], repos: [] };
  const { account } = makeAnswer();

  it.each([
    [makeAnswer({ account: { ...account, state: 'none' } }), /^git xmpp login/],
    [makeAnswer({ account: { ...account, state: 'offline', fault: { code: 'wrong-password', message: 'no' } } }), /^git xmpp login romeo@example\.org$/],
    [makeAnswer({ account: { ...account, state: 'offline', fault: { code: 'dns', message: 'no' } } }), /^git xmpp doctor/],
    [makeAnswer({ pause: { by: 'person', words: 'paused' } }), /^git xmpp resume$/],
    [makeAnswer(none), /^git xmpp pair/],
    [makeAnswer({ repos: [] }), /^git xmpp share/],
    [makeAnswer({ repos: [makeRepoStatus({ peers: [makeRepoPeer({ state: 'diverged' })] })] }), /waits/],
    [makeAnswer(), /^nothing/],
  ])('is the one that is wanted', (answer, command) => {
    expect(nextCommand(answer)).toMatch(command);
  });
});
