// The service that keeps an agent running, as commands use it: systemd's user manager, or launchd on macOS. Rule: it is asked of who runs it, never
// guessed; what is done twice is as if done once; a failure says what was asked and what the answer was.

import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { findHome } from './paths.ts';
import type { Home } from './paths.ts';
import { launchdLabel, unitName } from './service-format.ts';
import type { ServicePlan } from './service-format.ts';
import { LaunchdService } from './service-launchd.ts';
import { runCommand } from './service-run.ts';
import { SystemdService } from './service-systemd.ts';

/** How a service stands. */
export interface ServiceState {
  readonly isInstalled: boolean;
  /** Whether it begins by itself: at sign-in, or at boot where it lingers. */
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** In the manager's words, such as `active (running)` or `failed (exit-code)`. */
  readonly words: string;
  /** Ended by itself, and waiting for its next start or given up. */
  readonly isFailing: boolean;
  readonly pid?: number;
  /** Whether it goes on without a session; undefined where nobody can tell. */
  readonly lingers?: boolean;
}

/** `unreachable`: the manager that would run it does not answer here. */
export type Started = 'started' | 'unreachable';

export interface Service {
  /** As its manager calls it. */
  readonly name: string;
  readonly file: string;
  /** Where its words are read. */
  readonly logCommand: string;
  readonly isInstalled: boolean;
  /** Writes and enables it, and runs it; one that runs already is left alone if nothing changed. @throws Fault `service` when it cannot be had here */
  install(plan: ServicePlan): Promise<'new' | 'changed' | 'same'>;
  /** Stops it and leaves no file. @returns whether there was one */
  uninstall(): Promise<boolean>;
  start(): Promise<Started>;
  /** @throws Fault `service` when its manager does not answer */
  state(): Promise<ServiceState>;
  /** The last lines that it said. */
  lastLines(): Promise<readonly string[]>;
  /** Whether the file runs what `plan` says. */
  isUpToDate(plan: ServicePlan): Promise<boolean>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The service of a home, installed or not. */
export function findService(home: Home, env: Environment, platform: NodeJS.Platform = process.platform): Service {
  const { GIT_XMPP_HOME: _named, ...rest } = env;
  const other = findHome(rest).dir === home.dir ? undefined : home.dir;
  if (platform === 'darwin') {
    const label = launchdLabel(other);
    const file = join(env['HOME'] ?? homedir(), 'Library/LaunchAgents', `${label}.plist`);
    return new LaunchdService({ label, file, log: home.log, uid: userInfo().uid, run: (command, args) => runCommand(command, args, env) });
  }
  const name = unitName(other);
  const config = env['XDG_CONFIG_HOME'] === undefined || env['XDG_CONFIG_HOME'] === '' ? join(env['HOME'] ?? homedir(), '.config') : env['XDG_CONFIG_HOME'];
  return new SystemdService({ name, file: join(config, 'systemd/user', name), user: userInfo().username, run: (command, args) => runCommand(command, args, reaching(env)) });
}

/** A shell that began by su(1) or in cron has no address of the manager; it is always in the same place (systemd's file-hierarchy(7)). */
function reaching(env: Environment): Environment {
  if (env['XDG_RUNTIME_DIR'] !== undefined && env['XDG_RUNTIME_DIR'] !== '') return env;
  const usual = `/run/user/${userInfo().uid}`;
  return existsSync(usual) ? { ...env, XDG_RUNTIME_DIR: usual } : env;
}
