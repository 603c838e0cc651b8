#!/usr/bin/env node
// `npm run versions`: the tests on every version of Node that is supported, each from npm's package `node`, in a folder below the system's temporary one.
// Rule: what runs there finds that Node first, also where it starts programs of its own; the exit code tells, and each version is named.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The oldest that Debian has, and every line that is kept up. */
const VERSIONS = ['20', '22', '24'];

/** Beside every unit and property test. */
const MAIN = ['main-job', 'plain-git', 'in-band', 'socks5', 'survival', 'merge', 'hubs', 'auto-commit', 'package'].map((name) => `test/integration/${name}.spec.ts`);

/** The folder with `node` in it; of this very version it is the one that runs now. */
function fetchNode(version) {
  if (process.versions.node.startsWith(`${version}.`)) return path.dirname(process.execPath);
  const folder = path.join(os.tmpdir(), `git-xmpp-node-${version}`);
  const bin = path.join(folder, 'node_modules/node/bin');
  if (existsSync(path.join(bin, 'node'))) return bin;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0 || !existsSync(path.join(bin, 'node'))) throw new Error(`npm could not install node@${version}`);
  return bin;
}

function runTests(bin, args, env) {
  const withNode = { ...env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };
  const { status } = spawnSync(path.join(bin, 'node'), ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...args], { cwd: root, stdio: 'inherit', env: withNode });
  return status === 0;
}

const args = process.argv.slice(2);
const given = args.filter((word) => /^\d+(\.\d+)*$/.test(word));
const wanted = args.filter((word) => !given.includes(word));
const env = { ...process.env, ...(await setUp({ isForTests: true })) };
const results = (given.length > 0 ? given : VERSIONS).map((version) => {
  const bin = fetchNode(version);
  const full = spawnSync(path.join(bin, 'node'), ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\nNode ${full}`);
  return { full, isGood: runTests(bin, wanted.length > 0 ? wanted : ['test/unit', 'test/property', ...MAIN], env) };
});
for (const { full, isGood } of results) console.log(`${isGood ? 'passed' : 'FAILED'}: Node ${full}`);
process.exitCode = results.every(({ isGood }) => isGood) ? 0 : 1;
