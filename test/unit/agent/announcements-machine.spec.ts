// Which announcements cost a comparison. Rule: however many there are, and in whatever order, few.

import { describe, expect, it } from 'vitest';
import { AnnouncementsMachine, GAP_MS } from '../../../src/agent/announcements-machine.ts';
import { parseDeviceId, parseRepoId } from '../../../src/lib/names.ts';

const [LAPTOP, PHONE] = [parseDeviceId('1'.repeat(32)), parseDeviceId('2'.repeat(32))];
const REPO = parseRepoId('00000000-0000-4000-8000-000000000001');
const OTHER = parseRepoId('00000000-0000-4000-8000-000000000002');
const NOW = 1_700_000_000_000;

describe('AnnouncementsMachine', () => {
  it('lets the first be compared at once, and the same or an older one never', () => {
    const machine = new AnnouncementsMachine();
    expect(machine.hear({ peer: LAPTOP, repo: REPO, counter: 7 }, NOW)).toBe(0);
    machine.due(LAPTOP, NOW);
    for (const counter of [7, 6, 0]) expect(machine.hear({ peer: LAPTOP, repo: REPO, counter }, NOW + 60_000)).toBeUndefined();
    expect(machine.hear({ peer: LAPTOP, repo: OTHER, counter: 7 }, NOW + 60_000)).toBe(0);
    expect(machine.hear({ peer: PHONE, repo: REPO, counter: 7 }, NOW + 60_000)).toBe(0);
  });

  it('makes of all that comes within five seconds one comparison at their end', () => {
    const machine = new AnnouncementsMachine();
    machine.hear({ peer: LAPTOP, repo: REPO, counter: 1 }, NOW);
    machine.due(LAPTOP, NOW);
    expect(machine.hear({ peer: LAPTOP, repo: REPO, counter: 2 }, NOW + 1_000)).toBe(GAP_MS - 1_000);
    expect(machine.hear({ peer: LAPTOP, repo: OTHER, counter: 9 }, NOW + 2_000)).toBeUndefined();
    machine.due(LAPTOP, NOW + GAP_MS);
    expect(machine.hear({ peer: LAPTOP, repo: REPO, counter: 3 }, NOW + GAP_MS + 1)).toBe(GAP_MS - 1);
  });

  it('is not held up by a clock that is set back a year', () => {
    const machine = new AnnouncementsMachine();
    machine.hear({ peer: LAPTOP, repo: REPO, counter: 1 }, NOW);
    machine.due(LAPTOP, NOW);
    expect(machine.hear({ peer: LAPTOP, repo: REPO, counter: 2 }, NOW - 365 * 86_400_000)).toBe(0);
  });
});
