// A process of its own that tries for a lock. Rule: it says what came of it, and holds what it got until its input ends.

import { acquireLock } from '../../src/home/lock.ts';
import { codeOf } from '../../src/lib/errors.ts';

/** Waits for a line, so that many can be let go at once. */
process.stdin.once('data', () => {
  acquireLock(process.argv[2] ?? '').then(
    () => process.stdout.write('won\n'),
    (error: unknown) => process.stdout.write(`${codeOf(error)}\n`),
  );
});
process.stdin.once('end', () => process.exit(0));
process.stdout.write('ready\n');
