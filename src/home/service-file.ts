// The file that tells a manager of services of ours: a unit, a property list. Rule: it holds no secret, so that whoever manages services may read it.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asFault } from '../lib/errors.ts';

/** Writes it, and the folders above it where they are absent. @throws Fault `permissions`, `disk-full` */
export async function writeServiceFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o644 });
  } catch (error) {
    throw asFault(error, `writing ${file}`);
  }
}
