// The shims as they are installed: one bundled file each, and a name on the PATH.
// Rule: bundled once for a spec file, and run for real.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cleanEnv, makeFolder } from './repo.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Shims {
  /** Holds git-remote-xmpp.cjs and git-xmpp-shell.cjs; git-xmpp.cjs is looked for here. */
  readonly dist: string;
  /** To be put on the PATH. */
  readonly bin: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bundles both shims into a new folder. */
export async function bundleShims(): Promise<Shims> {
  const folder = makeFolder();
  const [dist, bin] = [join(folder, 'dist'), join(folder, 'bin')];
  mkdirSync(bin);
  await bundle(['git-shell-shim/git-remote-xmpp.ts', 'git-shell-shim/git-xmpp-shell.ts'], dist);
  for (const name of ['git-remote-xmpp', 'git-xmpp-shell']) {
    chmodSync(join(dist, `${name}.cjs`), 0o755);
    symlinkSync(join(dist, `${name}.cjs`), join(bin, name));
  }
  return { dist, bin };
}

/** One executable CJS file for each entry. */
export async function bundle(entries: readonly string[], outdir: string): Promise<void> {
  await build({
    entryPoints: entries.map((entry) => join(ROOT, entry)),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'silent',
  });
}

/** An environment with the shims on the PATH and nothing of the person who runs the specs. */
export function shimEnv(shims: Shims, home: string): Record<string, string> {
  const env = cleanEnv();
  const person = {
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.org',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.org',
  };
  return {
    ...env,
    ...person,
    PATH: `${shims.bin}:${env['PATH'] ?? ''}`,
    GIT_XMPP_HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C.UTF-8',
  };
}

/** Runs a program to its end. */
export async function run(
  file: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly input?: string | Uint8Array; readonly dir?: string },
): Promise<Ran> {
  const child = spawn(file, args, { env: options.env, cwd: options.dir });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [code] = await once(child, 'close');
  return {
    code: typeof code === 'number' ? code : -1,
    stdout: Buffer.concat(out).toString('latin1'),
    stderr: Buffer.concat(err).toString(),
  };
}
