// The log as it is read while it is written, by the two parts themselves.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { agentLog } from '../../../src/cli/agent-log.ts';
import { LogFile } from '../../../src/home/log-file.ts';
import { findHome } from '../../../src/home/paths.ts';
import { makeFolder } from '../../helpers/repo.ts';

const AT = '2024-01-02T03:04:05.006Z info';
let home: ReturnType<typeof findHome>;
let printed: string;

beforeEach(() => {
  home = findHome({ GIT_XMPP_HOME: makeFolder() });
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
});

afterEach(() => vi.restoreAllMocks());

describe('agentLog', () => {
  it('shows the last lines of both files', async () => {
    const log = new LogFile(home.log, 200);
    for (let number = 0; number < 9; number += 1) log.write(`${AT} line ${number}`);
    await agentLog({ home }, { lines: '7' });
    expect(printed.trimEnd().split('\n').map((line) => line.slice(AT.length + 1))).toEqual(['line 2', 'line 3', 'line 4', 'line 5', 'line 6', 'line 7', 'line 8']);
    log.close();
  });

  it('says so where there is none', async () => {
    await agentLog({ home }, {});
    expect(printed).toContain(join(home.dir, 'agent.log'));
  });

  it('follows, and misses nothing when the file is full and begins anew', async () => {
    writeFileSync(home.log, `${AT} line 0\n`);
    const log = new LogFile(home.log, 700);
    const end = new AbortController();
    const following = agentLog({ home }, { follow: true }, end.signal);
    const seen = (): string[] => printed.trimEnd().split('\n').map((line) => line.slice(AT.length + 1));
    const wanted: string[] = ['line 0'];
    for (let number = 1; number <= 40; number += 1) {
      log.write(`${AT} line ${number}`);
      wanted.push(`line ${number}`);
      if (number % 10 === 0) await vi.waitFor(() => expect(seen()).toEqual(wanted), 10_000);
    }
    end.abort();
    await following;
    log.close();
  });

  it.each(['x', '-1', '1.5'])('refuses --lines %s', async (lines) => {
    await expect(agentLog({ home }, { lines })).rejects.toMatchObject({ code: 'wrong-use' });
  });

  it('refuses a level that is none', async () => {
    await expect(agentLog({ home }, { level: 'loud' })).rejects.toMatchObject({ message: '--level: "loud" is none of debug, info, warn' });
  });
});
