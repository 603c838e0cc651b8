// A service of systemd's user manager (systemctl(1), systemd.unit(5), loginctl(1)). Rule: the unit is one file of its user's own; where the manager
// cannot be reached, nothing is written.

import { readFile, rm, rmdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import { writeServiceFile } from './service-file.ts';
import { formatExecStart, formatUnit, parseProperties } from './service-format.ts';
import type { ServicePlan } from './service-format.ts';
import type { Ran, RunCommand } from './service-run.ts';
import type { Service, ServiceState, Started } from './service.ts';

export interface SystemdParts {
  readonly name: string;
  readonly file: string;
  /** As its user is called. */
  readonly user: string;
  readonly run: RunCommand;
}

const PROPERTIES = ['UnitFileState', 'ActiveState', 'SubState', 'MainPID', 'Result'] as const;
/** Where `enable` puts its link. */
const WANTED = 'default.target.wants';
const LAST_LINES = 40;

export class SystemdService implements Service {
  readonly name: string;
  readonly file: string;
  readonly logCommand: string;
  readonly #parts: SystemdParts;

  constructor(parts: SystemdParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.file = parts.file;
    this.logCommand = `journalctl --user --unit ${parts.name}`;
  }

  get isInstalled(): boolean {
    return existsSync(this.file);
  }

  async install(plan: ServicePlan): Promise<'new' | 'changed' | 'same'> {
    const text = formatUnit(plan);
    await this.#reach();
    const before = await this.#read();
    if (before !== text) await writeServiceFile(this.file, text);
    await this.#ask('daemon-reload');
    await this.#ask('enable', this.name);
    await this.#run('reset-failed', this.name);
    // One that runs is started anew only for another text.
    await this.#ask(before === undefined || before === text ? 'start' : 'restart', this.name);
    if (before === undefined) return 'new';
    return before === text ? 'same' : 'changed';
  }

  async uninstall(): Promise<boolean> {
    if (!this.isInstalled) return false;
    // Where no manager answers, none runs it.
    const isReachable = await this.#isReachable();
    if (isReachable) await this.#ask('disable', '--now', this.name);
    await rm(join(dirname(this.file), WANTED, this.name), { force: true });
    await rm(this.file, { force: true });
    for (const folder of [WANTED, '.', '..']) await rmdir(join(dirname(this.file), folder)).catch(() => undefined);
    if (!isReachable) return true;
    await this.#ask('daemon-reload');
    await this.#run('reset-failed', this.name);
    return true;
  }

  async start(): Promise<Started> {
    if (!(await this.#isReachable())) return 'unreachable';
    await this.#run('reset-failed', this.name);
    await this.#ask('start', this.name);
    return 'started';
  }

  async state(): Promise<ServiceState> {
    await this.#reach();
    const { stdout } = await this.#ask('show', this.name, ...PROPERTIES.map((property) => `--property=${property}`));
    const found = parseProperties(stdout);
    const active = found.get('ActiveState') ?? 'unknown';
    const sub = found.get('SubState') ?? '';
    const pid = Number(found.get('MainPID') ?? 0);
    const lingers = await this.#lingers();
    return {
      isInstalled: this.isInstalled,
      isEnabled: found.get('UnitFileState') === 'enabled',
      isActive: active === 'active',
      words: `${active} (${active === 'failed' ? found.get('Result') : sub})`,
      isFailing: active === 'failed' || sub === 'auto-restart',
      ...(pid > 0 ? { pid } : {}),
      ...(lingers === undefined ? {} : { lingers }),
    };
  }

  async lastLines(): Promise<readonly string[]> {
    const { stdout } = await this.#parts.run('journalctl', ['--user', '--unit', this.name, '--lines', String(LAST_LINES), '--output', 'cat', '--no-pager']);
    return stdout.split('\n');
  }

  async isUpToDate(plan: ServicePlan): Promise<boolean> {
    return (await this.#read())?.split('\n').includes(formatExecStart(plan)) ?? false;
  }

  /** A user that nobody is signed in as has no answer: then nothing of theirs lingers. */
  async #lingers(): Promise<boolean | undefined> {
    const { code, stdout, stderr } = await this.#parts.run('loginctl', ['show-user', this.#parts.user, '--property=Linger']);
    if (code === 0) return parseProperties(stdout).get('Linger') === 'yes';
    return /not logged in or lingering/.test(stderr) ? false : undefined;
  }

  async #isReachable(): Promise<boolean> {
    return (await this.#run('show-environment')).code === 0;
  }

  async #reach(): Promise<void> {
    const { code, stderr } = await this.#run('show-environment');
    if (code === 0) return;
    const remedy = 'without systemd, have "git xmpp daemon run" started by what supervises programs here (git xmpp help daemon)';
    if (code === 127) throw new Fault('service', 'systemctl was not found: there is no systemd here to run a service', { remedy });
    throw new Fault('service', `systemd's user manager does not answer: ${lastLine(stderr)}`, {
      remedy: `sign in as this user itself, not by su or sudo, or run: sudo loginctl enable-linger ${this.#parts.user}\n${remedy}`,
    });
  }

  async #ask(...args: readonly string[]): Promise<Ran> {
    const ran = await this.#run(...args);
    if (ran.code === 0) return ran;
    throw new Fault('service', `"systemctl --user ${args.join(' ')}" ended with ${ran.code}: ${lastLine(ran.stderr)}`, { remedy: `see: ${this.logCommand}` });
  }

  #run(...args: readonly string[]): Promise<Ran> {
    return this.#parts.run('systemctl', ['--user', ...args]);
  }

  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw asFault(error, `reading ${this.file}`);
    }
  }
}

function lastLine(text: string): string {
  return text.split('\n').at(-1) ?? '';
}
