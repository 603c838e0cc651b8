// A program that drives a remotedaemon, written from git-annex's page of the protocol alone: a child, lines to its standard input, lines from its standard output.
// Rule: it knows nothing of git-xmpp but the command that it is told to run.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

export class AnnexController {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Every line that came, in order. */
  readonly lines: string[] = [];
  /** How far lines were waited for. */
  #seen = 0;
  #wake: () => void = () => undefined;
  stderr = '';
  readonly ended: Promise<number>;

  constructor(command: readonly [string, ...string[]], options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, { ...options, stdio: 'pipe' });
    let rest = '';
    this.#child.stdout.on('data', (part: Buffer) => {
      const parts = (rest + part.toString()).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
      this.#wake();
    });
    this.#child.stderr.on('data', (part: Buffer) => (this.stderr += part.toString()));
    this.ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? 255)));
    void this.ended.then(() => this.#wake());
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next line that is so, after those that were waited for before. */
  async next(isIt: string | RegExp, deadlineMs = 30_000): Promise<string> {
    const until = Date.now() + deadlineMs;
    for (;;) {
      const place = this.lines.findIndex((line, index) => index >= this.#seen && (typeof isIt === 'string' ? line === isIt : isIt.test(line)));
      if (place >= 0) {
        this.#seen = place + 1;
        return this.lines[place] ?? '';
      }
      if (Date.now() > until) throw new Error(`no ${String(isIt)} among\n${this.lines.slice(this.#seen).join('\n')}\nbefore: ${this.lines.slice(0, this.#seen).join('\n')}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, Math.max(0, until - Date.now()));
      });
      if (this.#child.exitCode !== null && this.lines.length === this.#seen) throw new Error(`it ended before ${String(isIt)}: ${this.stderr}`);
    }
  }

  /** Closes what it reads, as a program that ends does. */
  close(): Promise<number> {
    this.#child.stdin.end();
    return this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
