#!/usr/bin/env node
// `npm run demo`, `npm test`, `npm run bench`, `npm run soak`, `npm run simulate`, `npm run fuzz`, `npm run sabotage`, `npm run scale`,
// `npm run prove`, `npm run prosody`: each sets up what it needs by itself, then runs.
// Rule: nothing but Node's own modules is loaded here, since this runs before `npm ci`; the exit code is the answer.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';
import { runTests } from './tests.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const COMMANDS = {
  test: { isForTests: true, start: runTests },
  demo: { isForTests: false, start: (args, env) => runTypeScript('test/demo/main.ts', args, env) },
  bench: { isForTests: true, start: (args, env) => runTypeScript('test/bench/main.ts', args, env) },
  soak: { isForTests: true, start: (args, env) => runTypeScript('test/soak/main.ts', args, env) },
  simulate: { isForTests: false, hasServer: false, start: (args, env) => runTypeScript('test/simulate/main.ts', args, env) },
  fuzz: { isForTests: false, hasServer: false, start: (args, env) => runTypeScript('test/fuzz/main.ts', args, env) },
  sabotage: { isForTests: false, hasServer: false, start: (args, env) => runTypeScript('test/sabotage/main.ts', args, env) },
  scale: { isForTests: true, isLongRun: true, start: (args, env) => runTypeScript('test/scale/main.ts', args, env) },
  prove: { isForTests: true, isLongRun: true, start: (args, env) => runTypeScript('test/prove/main.ts', args, env) },
  prosody: { isForTests: false, start: (args, env) => runTypeScript('test/helpers/run-prosody.ts', args, env) },
};

async function runTypeScript(file, args, env) {
  if (!existsSync(path.join(root, file))) throw new Error(`${file} is not there.`);
  const child = spawn(process.execPath, ['--import', './scripts/typescript.mjs', file, ...args], { cwd: root, stdio: 'inherit', env });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')}`);
  process.exitCode = 2;
} else {
  // An interrupt goes to the whole group: the child tidies up and ends, then this does.
  process.on('SIGINT', () => undefined);
  try {
    const env = { ...process.env, ...(await setUp({ ...command, isLongRun: command.isLongRun ?? (command.isForTests && process.env.XMPP_PROFILES === 'all') })) };
    process.exitCode = await command.start(args, env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (name === 'test') console.log('0 passed, 1 failed');
    process.exitCode = 1;
  }
}
