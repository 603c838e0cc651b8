// `npm run demo` as a person runs it: what it tells, how it ends, and that nothing is left of it.
// Rule: each run has a temporary folder of its own, so that whatever stays behind is seen.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Screen } from '../demo/screen.ts';
import { findProcesses } from '../helpers/processes.ts';
import { ROOT } from '../helpers/source-files.ts';

describe('npm run demo', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-demo-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** @param during is given each new piece of output, and what sends a signal */
  const run = async (
    env: Readonly<Record<string, string>> = {},
    during: (output: string, kill: (name: NodeJS.Signals) => void) => void = () => undefined,
  ): Promise<{ code: unknown; output: string }> => {
    const args = ['--import', './scripts/typescript.mjs', 'test/demo/main.ts'];
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, TMPDIR: dir, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part: Buffer) => {
        output += part.toString();
        during(output, (name) => child.kill(name));
      });
    }
    const [code] = await once(child, 'close');
    return { code, output };
  };

  const expectNothingLeft = (): void => {
    expect(findProcesses(dir)).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  };

  it('plays the main job to its end, and leaves no process and no file', async () => {
    const { code, output } = await run();
    expect({ code, output }).toMatchObject({ code: 0 });
    const lines = output.trimEnd().split('\n');
    expect(lines.find((line) => line.includes('resumed at byte'))).toMatch(/resumed at byte \d+ coming in, [1-9]\d{6} going out/);
    expect(output).toContain('git fsck --full --strict: clean');
    expect(output.match(/git commit {2}[0-9a-f]{7} {2}→ files on/g)).toHaveLength(6);
    expect(output).toContain('[new branch]      topic -> topic');
    expect(output).toContain('laptop: in sync');
    expect(output).toContain(`xmlns='http://jabber.org/protocol/ibb'`);
    expect(output).toMatch(/How long it took +git-xmpp +git over OpenSSH\n(?: {2}\S.* m?s.*\n){7}/);
    expect(lines.at(-1)).toMatch(/^ {2}✓ all of it checked; .* \d+\.\d s$/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(output).not.toContain('\u001B');
    expect(output).not.toContain(dir);
    expectNothingLeft();
  });

  it.each([
    { signal: 'SIGINT' as const, at: 'Sign in', expected: 130 },
    { signal: 'SIGTERM' as const, at: 'git xmpp clone laptop/notes\n', expected: 143 },
  ])('takes everything down on $signal', async ({ signal, at, expected }) => {
    let isSent = false;
    const { code, output } = await run({}, (soFar, kill) => {
      if (isSent || !soFar.includes(at)) return;
      isSent = true;
      kill(signal);
    });
    expect(output.trimEnd().split('\n').at(-1)).toBe(`  ${signal}: taking everything down`);
    expect(code).toBe(expected);
    expectNothingLeft();
  });

  it('names the step that failed and what was expected', async () => {
    const { code, output } = await run({ XMPP_SERVER: 'native', PATH: dir });
    expect(code).toBe(1);
    expect(output).toContain('✗ Start a private XMPP server\n    expected: Prosody answers on a free port\n    instead:  Prosody for localhost ended with 127');
    expectNothingLeft();
  });
});

describe('Screen', () => {
  const write = (isTTY: boolean, env: Readonly<Record<string, string>>): string => {
    let text = '';
    new Screen({ isTTY, write: (part) => (text += part) }, env).act('Sign in');
    return text;
  };

  it('has colour on a terminal, and nowhere else or against a wish', () => {
    expect(write(true, {})).toBe('\n\u001B[1mSign in\u001B[22m\n');
    expect(write(false, {})).toBe('\nSign in\n');
    expect(write(true, { NO_COLOR: '1' })).toBe('\nSign in\n');
    expect(write(true, { TERM: 'dumb' })).toBe('\nSign in\n');
  });

  it('cuts what is wider than 80 columns', () => {
    let text = '';
    new Screen({ write: (part) => (text += part) }, {}).line('x'.repeat(100));
    expect(text).toBe(`${'x'.repeat(79)}…\n`);
  });
});
