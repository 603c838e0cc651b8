import { describe, expect, it } from 'vitest';
import { lastLines, LogPicker } from '../../../src/cli/agent-log-format.ts';

const at = '2024-01-02T03:04:05.006Z';
const TEXT = [`${at} debug link: a`, `${at} info moved peer=laptop`, 'Error: no', '    at here', `${at} debug x`, 'more of x', `${at} warn unhandled why=z`, ''].join('\n');
const texts = (level: 'debug' | 'info' | 'warn', count = 99): string[] => lastLines(TEXT, new LogPicker(level), count).map(({ text }) => text);

describe('LogPicker', () => {
  it('takes what is of a level or above, with what belongs to it', () => {
    expect(texts('debug')).toHaveLength(7);
    expect(texts('info')).toEqual([`${at} info moved peer=laptop`, 'Error: no', '    at here', `${at} warn unhandled why=z`]);
    expect(texts('warn')).toEqual([`${at} warn unhandled why=z`]);
  });

  it('takes the last of them', () => {
    expect([texts('info', 1), texts('info', 0)]).toEqual([[`${at} warn unhandled why=z`], []]);
  });

  it('lets out no secret that came there past the log, and steers no terminal', () => {
    expect(new LogPicker('debug').pick('Error: https://anna:hunter2@host/ \u001b[2J')?.text).toBe('Error: https://<redacted>@host/ ?[2J');
  });
});
