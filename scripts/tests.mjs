// Runs every check and every test, and says how many passed.
// Rule: a file that could not be loaded counts as failed; a test that did not run (it asks for a program by an environment variable) is named;
// the last line is the sum.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Arguments go to vitest. Returns the exit code. */
export function runTests(args, env) {
  const checks = [
    { name: 'tsc --noEmit', passes: succeeds('tsc', ['--noEmit'], env) },
    { name: 'oxlint --deny-warnings', passes: succeeds('oxlint', ['--deny-warnings'], env) },
  ];
  const tests = runVitest(args, env);
  const passed = checks.filter(({ passes }) => passes).length + tests.passed;
  const failed = checks.filter(({ passes }) => !passes).length + tests.failed;
  for (const { name, passes } of checks) console.log(`${passes ? 'passed' : 'FAILED'}: ${name}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function runVitest(args, env) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-tests-'));
  const report = path.join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const isGood = succeeds('vitest', ['run', '--config', 'test/vitest.config.ts', ...reporters, ...args], env);
    const { passed, failed } = count(JSON.parse(readFileSync(report, 'utf8')));
    return { passed, failed: isGood || failed > 0 ? failed : 1 };
  } catch (error) {
    console.error(`vitest gave no report: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(report) {
  const results = report.testResults.flatMap((file) => file.assertionResults);
  const passed = results.filter(({ status }) => status === 'passed').length;
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  const failed = results.filter(({ status }) => status === 'failed').length;
  for (const { status, fullName } of results) if (status !== 'passed' && status !== 'failed') console.log(`not run: ${fullName}`);
  return { passed, failed: failed + unloaded };
}

function succeeds(program, args, env) {
  const file = path.join(root, 'node_modules/.bin', program);
  return spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}
