// A copy of the project to break and to test. Rule: the tree itself is never written to; the copy goes with the run, whatever happens.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../helpers/source-files.ts';
import { readReport } from './report-format.ts';
import type { Verdict } from './report-format.ts';

/** What a copy needs not: it is linked, built anew, or of no use. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', 'coverage']);
/** A run of a few specs that takes longer hangs. */
const DEADLINE_MS = 240_000;
/** The same of all of them. */
const WHOLE_DEADLINE_MS = 3_600_000;

export class Workshop {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-sabotage-'));
  #isBuilt = false;
  /** Ends what runs now, with all that it started. */
  #end: () => void = () => undefined;

  constructor() {
    cpSync(ROOT, this.#folder, { recursive: true, filter: (from) => !LEFT_OUT.has(path.relative(ROOT, from)) });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.#folder, 'node_modules'));
  }

  read(file: string): string {
    return readFileSync(path.join(this.#folder, file), 'utf8');
  }

  /** Runs specs while one file has another text. */
  async runWith(file: string, text: string, specs: readonly string[]): Promise<Verdict> {
    const whole = this.read(file);
    writeFileSync(path.join(this.#folder, file), text);
    this.#isBuilt = false;
    try {
      return await this.run(specs);
    } finally {
      writeFileSync(path.join(this.#folder, file), whole);
      this.#isBuilt = false;
    }
  }

  /** Runs spec files until one test fails. */
  async run(specs: readonly string[], { isToTheEnd = false } = {}): Promise<Verdict> {
    const missing = specs.filter((spec) => !existsSync(path.join(this.#folder, spec)));
    if (missing.length > 0) throw new Error(`no such spec: ${missing.join(', ')}`);
    if (!specs.every((spec) => /^test\/(?:unit|property)\//.test(spec)) && !this.#isBuilt) {
      if ((await this.#start(['scripts/build.mjs'])) !== 0) return { kind: 'unloaded' };
      this.#isBuilt = true;
    }
    const report = path.join(this.#folder, 'sabotage-report.json');
    rmSync(report, { force: true });
    const bail = isToTheEnd ? [] : ['--bail=1'];
    const deadlineMs = isToTheEnd ? WHOLE_DEADLINE_MS : DEADLINE_MS;
    const code = await this.#start(['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...bail, '--reporter=json', `--outputFile=${report}`, ...specs], deadlineMs);
    if (code === undefined) return { kind: 'hung' };
    return readReport(existsSync(report) ? readFileSync(report, 'utf8') : '', code);
  }

  remove(): void {
    this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns the exit code, undefined when it was ended because it took too long */
  async #start(args: readonly string[], deadlineMs = DEADLINE_MS): Promise<number | undefined> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && name !== 'NODE_ENV'));
    // A group of its own: what the specs started ends with it.
    const child = spawn(process.execPath, args, { cwd: this.#folder, stdio: 'ignore', detached: true, env });
    this.#end = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#end();
    }, deadlineMs);
    const [code] = (await once(child, 'exit')) as [number | null];
    this.#end = () => undefined;
    clearTimeout(timer);
    return isLate ? undefined : (code ?? 1);
  }
}
