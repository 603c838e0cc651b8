// `git xmpp doctor` as a spec reads it. Rule: the exit code has to agree with what was found.

import type { Check, DoctorReport } from '../../src/agent/doctor-format.ts';
import type { Device } from './device.ts';

export interface Examined extends DoctorReport {
  readonly code: number;
  /** What is broken, by its name. */
  readonly broken: readonly string[];
  readonly notTried: readonly string[];
  /** The first line of that name. */
  of(id: Check['id']): Check | undefined;
}

/** @param enter command and first arguments that run it where the device's agent runs, as in a network of its own */
export async function examine(device: Device, enter: readonly string[] = []): Promise<Examined> {
  const [command, ...args] = [...enter, 'git-xmpp', 'doctor', '--json'];
  const { code, stdout } = await device.run(command, args);
  const report = JSON.parse(stdout) as DoctorReport;
  const named = (state: Check['state']): string[] => report.checks.filter((check) => check.state === state).map(({ id }) => id);
  const broken = named('broken');
  if (code !== (broken.length === 0 ? 0 : 1) || report.isWell !== (code === 0)) throw new Error(`${device.name}: ${broken.join(', ')} broken, and exit code ${code}`);
  return { ...report, code, broken, notTried: named('not-tried'), of: (id) => report.checks.find((check) => check.id === id) };
}
