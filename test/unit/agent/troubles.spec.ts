import { beforeEach, describe, expect, it } from 'vitest';
import { Events } from '../../../src/agent/events.ts';
import { Troubles } from '../../../src/agent/troubles.ts';
import { remedyOf } from '../../../src/lib/errors.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const clock = new VirtualClock();
let events: Events;
let troubles: Troubles;

beforeEach(() => {
  events = new Events(clock, silentLog);
  troubles = new Troubles(events);
});

const fail = (more: { readonly repo?: string; readonly code?: string; readonly remedy?: string } = {}): void =>
  events.emit({ type: 'offer-failed', words: 'no room there', peer: 'desktop', repo: 'notes', code: 'disk-full', ...more });

describe('Troubles', () => {
  it('remember what went wrong last, with its remedy, until it works again', () => {
    fail({ remedy: 'free some space there' });
    expect(troubles.of('desktop', 'notes')).toEqual({ at: clock.now(), code: 'disk-full', message: 'no room there', remedy: 'free some space there' });
    expect([troubles.of('desktop'), troubles.of('laptop', 'notes'), troubles.of('desktop', 'other')]).toEqual([undefined, undefined, undefined]);
    events.emit({ type: 'offered', words: 'offered', peer: 'desktop', repo: 'other' });
    expect(troubles.of('desktop', 'notes')).toBeDefined();
    events.emit({ type: 'offered', words: 'offered', peer: 'desktop', repo: 'notes' });
    expect(troubles.of('desktop', 'notes')).toBeUndefined();
  });

  it('tell the remedy of its kind where none of its own is known', () => {
    fail({ code: 'throttled' });
    expect(troubles.of('desktop', 'notes')?.remedy).toBe(remedyOf({ code: 'throttled', message: '' }));
  });

  it('forget the failure of a contact when there is a link again, and nothing else with it', () => {
    fail();
    events.emit({ type: 'contact-failed', words: 'it speaks another language', peer: 'desktop', code: 'newer-protocol' });
    expect(troubles.of('desktop')?.code).toBe('newer-protocol');
    events.emit({ type: 'link-up', words: 'a link is up', peer: 'desktop' });
    expect([troubles.of('desktop'), troubles.of('desktop', 'notes')?.code]).toEqual([undefined, 'disk-full']);
  });

  it.each(['peer-offline', 'not-connected'])('take it for no error that somebody is not there (%s)', (code) => {
    fail({ code });
    expect(troubles.of('desktop', 'notes')).toBeUndefined();
  });

  it('let other events be', () => {
    events.emit({ type: 'waiting', words: 'main waits', peer: 'desktop', repo: 'notes' });
    events.emit({ type: 'offer-failed', words: 'of nobody', code: 'git' });
    expect(troubles.of('desktop', 'notes')).toBeUndefined();
  });
});
