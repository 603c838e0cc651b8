#!/usr/bin/env node
// Makes a fresh checkout ready: versions, dependencies, build, and an XMPP server to talk to.
// Rule: runs before `npm ci`, so it uses nothing but Node's own modules; running it again does only what is still missing.

import { spawnSync } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findCompose, install, LONG_RUN_TOOLS, SERVER_TOOLS, succeeds, TEST_TOOLS } from './tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Sets up, and resolves with the environment for what is run next: XMPP_SERVER is `native` or `docker`.
 * @param {{ isForTests?: boolean, isLongRun?: boolean, hasServer?: boolean }} options tests need more programs than the demo, and the long run more than those; a simulation needs no server
 * @throws with one sentence that says what is missing
 */
export async function setUp({ isForTests = false, isLongRun = false, hasServer = true } = {}) {
  checkVersions();
  installDependencies();
  run('the build', process.execPath, ['scripts/build.mjs']);
  return hasServer ? chooseServer([...(isForTests ? TEST_TOOLS : []), ...(isLongRun ? LONG_RUN_TOOLS : [])]) : {};
}

function checkVersions() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(`git-xmpp needs Node 20.19 or newer; this is ${process.versions.node}.`);
  const { stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  const [, first = 0, second = 0] = /(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (Number(first) < 2 || (Number(first) === 2 && Number(second) < 38)) {
    throw new Error(`git-xmpp needs git 2.38 or newer; ${stdout ? `this is ${stdout.trim()}` : 'there is none'}.`);
  }
}

function installDependencies() {
  const installed = modifiedAt('node_modules/.package-lock.json');
  if (installed !== undefined && installed >= (modifiedAt('package-lock.json') ?? 0)) return;
  // npm ci empties what a link leads to, which belongs to another checkout.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) throw new Error('node_modules is a link: run npm ci where it leads to');
  say('installing dependencies (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm !== undefined && /\.c?js$/.test(npm) ? [process.execPath, npm] : ['npm'];
  run('npm ci', command, [...first, 'ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** @param {readonly import('./tools.mjs').Tool[]} tools what is needed beside the server */
function chooseServer(tools) {
  const isForced = process.env.XMPP_SERVER === 'docker';
  const missing = SERVER_TOOLS.filter(({ isThere }) => !isThere());
  const compose = isForced || missing.length > 0 ? reachCompose() : undefined;
  if (isForced && compose === undefined) throw new Error('XMPP_SERVER=docker is set, and no Docker engine with compose can be reached.');
  if (compose !== undefined) say(`using Prosody in Docker (${compose})`);

  const wanted = [...(compose === undefined ? missing : []), ...tools.filter(({ isThere }) => !isThere())];
  if (wanted.length > 0) {
    say(`installing ${wanted.map(({ name }) => name).join(', ')}`);
    install(wanted);
  }
  const found = compose ?? (tools.length > 0 ? findCompose() : undefined);
  return { XMPP_SERVER: compose === undefined ? 'native' : 'docker', ...(found === undefined ? {} : { XMPP_COMPOSE: found }) };
}

function reachCompose() {
  return succeeds('docker', 'info') ? findCompose() : undefined;
}

function run(name, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${name} failed${error === undefined ? '' : `: ${error.message}`}.`);
}

function modifiedAt(file) {
  return statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs;
}

function say(words) {
  process.stderr.write(`set-up: ${words}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setUp({ isForTests: process.argv.includes('--tests') });
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
