// A service of launchd, on macOS (launchctl(1), launchd.plist(5)): written after its manual, and not tried on a Mac. Rule: as for systemd; a user's
// agents live in their sign-in session, so nothing lingers.

import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { Fault } from '../lib/errors.ts';
import { writeServiceFile } from './service-file.ts';
import { formatPlist } from './service-format.ts';
import type { ServicePlan } from './service-format.ts';
import type { Ran, RunCommand } from './service-run.ts';
import type { Service, ServiceState, Started } from './service.ts';

export interface LaunchdParts {
  readonly label: string;
  readonly file: string;
  readonly log: string;
  readonly uid: number;
  readonly run: RunCommand;
}

const LAST_BYTES = 8192;

export class LaunchdService implements Service {
  readonly name: string;
  readonly file: string;
  readonly logCommand: string;
  readonly #parts: LaunchdParts;
  readonly #domain: string;

  constructor(parts: LaunchdParts) {
    this.#parts = parts;
    this.name = parts.label;
    this.file = parts.file;
    this.logCommand = `tail ${parts.log}`;
    this.#domain = `gui/${parts.uid}`;
  }

  get isInstalled(): boolean {
    return existsSync(this.file);
  }

  async install(plan: ServicePlan): Promise<'new' | 'changed' | 'same'> {
    const text = formatPlist(plan, this.name);
    const before = await this.#read();
    const isLoaded = await this.#isLoaded();
    if (before === text && isLoaded) {
      await this.#ask('kickstart', this.#target);
      return 'same';
    }
    if (isLoaded) await this.#ask('bootout', this.#target);
    await writeServiceFile(this.file, text);
    await this.#ask('enable', this.#target);
    await this.#ask('bootstrap', this.#domain, this.file);
    return before === undefined ? 'new' : 'changed';
  }

  async uninstall(): Promise<boolean> {
    if (!this.isInstalled) return false;
    if (await this.#isLoaded()) await this.#ask('bootout', this.#target);
    await rm(this.file, { force: true });
    return true;
  }

  async start(): Promise<Started> {
    if (!(await this.#isLoaded())) {
      const { code } = await this.#run('bootstrap', this.#domain, this.file);
      return code === 0 ? 'started' : 'unreachable';
    }
    await this.#ask('kickstart', this.#target);
    return 'started';
  }

  async state(): Promise<ServiceState> {
    const { code, stdout } = await this.#run('print', this.#target);
    const words = /^\tstate = (.+)$/m.exec(stdout)?.[1] ?? 'not loaded';
    const pid = /^\tpid = (\d+)$/m.exec(stdout)?.[1];
    const lastExit = /^\tlast exit code = (\d+)/m.exec(stdout)?.[1] ?? '0';
    return {
      isInstalled: this.isInstalled,
      isEnabled: code === 0,
      isActive: pid !== undefined,
      words,
      isFailing: pid === undefined && lastExit !== '0',
      ...(pid === undefined ? {} : { pid: Number(pid) }),
    };
  }

  async lastLines(): Promise<readonly string[]> {
    const text = await readFile(this.#parts.log, 'utf8').catch(() => '');
    return text.slice(-LAST_BYTES).split('\n');
  }

  async isUpToDate(plan: ServicePlan): Promise<boolean> {
    const programOf = (text: string): string => /<key>ProgramArguments<\/key>[\s\S]*?<\/array>/.exec(text)?.[0] ?? '';
    return programOf((await this.#read()) ?? '') === programOf(formatPlist(plan, this.name));
  }

  get #target(): string {
    return `${this.#domain}/${this.name}`;
  }

  async #isLoaded(): Promise<boolean> {
    return (await this.#run('print', this.#target)).code === 0;
  }

  async #ask(...args: readonly string[]): Promise<Ran> {
    const ran = await this.#run(...args);
    if (ran.code === 0) return ran;
    throw new Fault('service', `"launchctl ${args.join(' ')}" ended with ${ran.code}: ${ran.stderr}`, { remedy: `see: ${this.logCommand}` });
  }

  #run(...args: readonly string[]): Promise<Ran> {
    return this.#parts.run('launchctl', args);
  }

  #read(): Promise<string | undefined> {
    return readFile(this.file, 'utf8').catch(() => undefined);
  }
}
