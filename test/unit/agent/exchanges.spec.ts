// What moves between here and a remote, told in pairs.

import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import { parseRepoId } from '../../../src/lib/names.ts';
import type { ServedProcess } from '../../../src/link/carry.ts';

const NOTES = { id: parseRepoId('11111111-1111-4111-8111-111111111111'), name: 'notes' };
const SONGS = { id: parseRepoId('22222222-2222-4222-8222-222222222222'), name: 'songs' };

let told: string[];
let exchanges: Exchanges;

beforeEach(() => {
  told = [];
  const emit = ({ type, repo, peer, isGood }: Omit<AgentEvent, 'id' | 'at'>): unknown => told.push(`${type} ${repo ?? ''} ${peer ?? ''}${isGood === undefined ? '' : ` ${isGood}`}`);
  exchanges = new Exchanges({ emit });
});

describe('an exchange', () => {
  it('is told when it begins, and how it ended', () => {
    const one = exchanges.begin(NOTES, 'desktop');
    expect(told).toEqual(['syncing notes desktop']);
    expect(exchanges.remotes(NOTES.id)).toEqual(['desktop']);
    one.done(true);
    one.done(false);
    expect(told.slice(1)).toEqual(['done-syncing notes desktop true']);
    expect(exchanges.remotes(NOTES.id)).toEqual([]);
  });

  it('joins others with the same remote: one beginning, one end, good where all were', () => {
    const [one, other] = [exchanges.begin(NOTES, 'desktop'), exchanges.begin(NOTES, 'desktop')];
    one.done(false);
    expect(told).toEqual(['syncing notes desktop']);
    other.done(true);
    expect(told.slice(1)).toEqual(['done-syncing notes desktop false']);
    exchanges.begin(NOTES, 'desktop').done(true);
    expect(told.slice(2)).toEqual(['syncing notes desktop', 'done-syncing notes desktop true']);
  });

  it('ends badly where its work throws, which is passed on', async () => {
    await expect(exchanges.during(NOTES, 'usb', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
    expect(await exchanges.during(NOTES, 'usb', () => Promise.resolve(7))).toBe(7);
    expect(told).toEqual(['syncing notes usb', 'done-syncing notes usb false', 'syncing notes usb', 'done-syncing notes usb true']);
  });

  it('of a paused repository is stopped and told at once; those of others go on', () => {
    const [one, other] = [exchanges.begin(NOTES, 'desktop'), exchanges.begin(SONGS, 'desktop')];
    exchanges.stop(NOTES.id);
    expect([one.signal.aborted, other.signal.aborted]).toEqual([true, false]);
    expect(told.slice(2)).toEqual(['done-syncing notes desktop false']);
    one.done(true);
    expect(told).toHaveLength(3);
  });
});

describe('a process that serves a peer', () => {
  let isKilled: boolean;
  const served = (settle?: ServedProcess['settle']): ServedProcess =>
    exchanges.served(NOTES, 'desktop', {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      exit: Promise.resolve(0),
      stderrTail: () => 'as git said',
      isSilent: true,
      fields: () => ({ more: '1' }),
      kill: () => (isKilled = true),
      ...(settle === undefined ? {} : { settle }),
    });

  beforeEach(() => (isKilled = false));

  it('counts until its code is told', async () => {
    const process = served(() => Promise.resolve(3));
    expect([process.isSilent, process.fields?.(), process.stderrTail()]).toEqual([true, { more: '1' }, 'as git said']);
    expect(told).toHaveLength(1);
    expect(await process.settle?.(0, 10)).toBe(3);
    expect(told.slice(1)).toEqual(['done-syncing notes desktop false']);
  });

  it('without more to do ends as git ended', async () => {
    expect(await served().settle?.(0, 10)).toBe(0);
    expect(told.slice(1)).toEqual(['done-syncing notes desktop true']);
  });

  it('is killed by a pause, and says why', () => {
    const process = served();
    exchanges.stop(NOTES.id);
    expect(isKilled).toBe(true);
    expect(process.stderrTail()).toBe('notes is paused there\n');
  });
});
