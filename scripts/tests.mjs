// Runs every check and every test, and says how many passed.
// Rule: a file that could not be loaded counts as failed; a test that did not run (it asks for a program by an environment variable) is named;
// the last line is the sum.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** More than this is no matter of bad luck. */
const MAX_UNSTEADY_FILES = 4;

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

/**
 * With RUN_AGAIN=1 a few files that failed run once more, alone; what passes then is named, so that it is mended and not forgotten
 * (docs/decisions/0048-unsteady-tests-are-named.md).
 */
function runVitest(args, env) {
  const first = runOnce(args, env);
  const files = [...new Set(first.results.filter(isFailed).map(({ file }) => file))];
  if (env.RUN_AGAIN !== '1' || files.length === 0 || files.length > MAX_UNSTEADY_FILES) return tell(first);
  console.log(`runs again: ${files.map((file) => path.relative(root, file)).join(', ')}`);
  const again = runOnce(files, env);
  const wasFailed = new Set(first.results.filter(isFailed).map(keyOf));
  const unsteady = again.results.filter((result) => !isFailed(result) && wasFailed.has(keyOf(result)));
  for (const { name } of unsteady) console.log(`UNSTEADY, passed only when it ran again: ${name}`);
  return tell({ isWhole: again.isWhole, results: [...first.results.filter(({ file }) => !files.includes(file)), ...again.results] });
}

function runOnce(args, env) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-tests-'));
  const report = path.join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const isGood = succeeds('vitest', ['run', '--config', 'test/vitest.config.ts', ...reporters, ...args], env);
    const results = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(readFile);
    return { isWhole: isGood || results.some(isFailed), results };
  } catch (error) {
    console.error(`vitest gave no report: ${error instanceof Error ? error.message : String(error)}`);
    return { isWhole: false, results: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a file's tests came to; one that could not be loaded is one failed test. */
function readFile({ name: file, status, assertionResults }) {
  if (status === 'failed' && assertionResults.length === 0) return [{ file, name: file, status: 'failed' }];
  return assertionResults.map((test) => ({ file, name: test.fullName, status: test.status }));
}

function isFailed({ status }) {
  return status === 'failed';
}

function keyOf({ file, name }) {
  return `${file} ${name}`;
}

/** @param isWhole whether every failure has a test to its name */
function tell({ isWhole, results }) {
  for (const { status, name } of results) if (status !== 'passed' && status !== 'failed') console.log(`not run: ${name}`);
  const failed = results.filter(isFailed).length;
  return { passed: results.filter(({ status }) => status === 'passed').length, failed: isWhole ? failed : failed + 1 };
}

function succeeds(program, args, env) {
  const file = path.join(root, 'node_modules/.bin', program);
  return spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}
