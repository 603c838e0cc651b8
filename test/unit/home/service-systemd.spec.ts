// A service of systemd, with a systemctl that answers as told: what the real one (test/integration/service.spec.ts) cannot be made to say.

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findHome } from '../../../src/home/paths.ts';
import { findService } from '../../../src/home/service.ts';
import { SystemdService } from '../../../src/home/service-systemd.ts';
import type { ServicePlan } from '../../../src/home/service-format.ts';
import type { Ran } from '../../../src/home/service-run.ts';
import { makeFolder } from '../../helpers/repo.ts';

const PLAN: ServicePlan = { node: '/usr/bin/node', program: '/p/agent.mjs', home: '/h', environment: {}, log: '/h/agent.log' };
const NAME = 'git-xmpp.service';

interface World {
  readonly service: SystemdService;
  readonly file: string;
  readonly asked: string[];
  /** Answers by the first word after `--user`, or the command's name; whatever is not here succeeds and says nothing. */
  readonly answers: Record<string, Partial<Ran>>;
}

function start(answers: World['answers'] = {}): World {
  const file = join(makeFolder(), 'systemd/user', NAME);
  const asked: string[] = [];
  const run = async (command: string, args: readonly string[]): Promise<Ran> => {
    const key = command === 'systemctl' ? (args[1] ?? '') : command;
    asked.push(key);
    return { code: 0, stdout: '', stderr: '', ...answers[key] };
  };
  return { service: new SystemdService({ name: NAME, file, user: 'anna', run }), file, asked, answers };
}

describe('a service of systemd', () => {
  it('is written, enabled and started; unchanged, it is started again if it does not run; changed, restarted', async () => {
    const { service, file, asked } = start();
    expect(await service.install(PLAN)).toBe('new');
    expect(asked).toEqual(['show-environment', 'daemon-reload', 'enable', 'reset-failed', 'start']);
    expect(readFileSync(file, 'utf8')).toContain('"/p/agent.mjs"');
    expect([await service.install(PLAN), asked.at(-1)]).toEqual(['same', 'start']);
    expect([await service.install({ ...PLAN, program: '/q/agent.mjs' }), asked.at(-1)]).toEqual(['changed', 'restart']);
    expect([await service.isUpToDate(PLAN), await service.isUpToDate({ ...PLAN, program: '/q/agent.mjs' })]).toEqual([false, true]);
  });

  it.each([
    [127, '', 'systemctl was not found: there is no systemd here to run a service'],
    [1, 'Failed to connect to bus: No medium found', "systemd's user manager does not answer: Failed to connect to bus: No medium found"],
  ])('is refused where systemctl ends with %i, and nothing is written', async (code, stderr, message) => {
    const { service, file } = start({ 'show-environment': { code, stderr } });
    await expect(service.install(PLAN)).rejects.toMatchObject({ code: 'service', message, remedy: expect.stringContaining('git xmpp daemon run') });
    expect(existsSync(dirname(file))).toBe(false);
    await expect(service.state()).rejects.toMatchObject({ code: 'service' });
    expect(await service.start()).toBe('unreachable');
  });

  it('says which request failed, and where to read on', async () => {
    const { service } = start({ enable: { code: 1, stderr: 'noise\nFailed to enable unit: Unit file git-xmpp.service does not exist.' } });
    await expect(service.install(PLAN)).rejects.toMatchObject({
      message: '"systemctl --user enable git-xmpp.service" ended with 1: Failed to enable unit: Unit file git-xmpp.service does not exist.',
      remedy: 'see: journalctl --user --unit git-xmpp.service',
    });
  });

  it('is removed without its manager as well, with its link, and only its own', async () => {
    const { service, file, asked } = start({ 'show-environment': { code: 1 } });
    const wants = join(dirname(file), 'default.target.wants');
    mkdirSync(wants, { recursive: true });
    writeFileSync(file, 'x');
    writeFileSync(join(dirname(file), 'another.service'), 'x');
    symlinkSync(file, join(wants, NAME));
    expect(await service.uninstall()).toBe(true);
    expect([existsSync(file), existsSync(wants), existsSync(join(dirname(file), 'another.service'))]).toEqual([false, false, true]);
    expect(asked).toEqual(['show-environment']);
    expect(await service.uninstall()).toBe(false);
  });

  it.each([
    ['ActiveState=active\nSubState=running\nMainPID=7\nUnitFileState=enabled\nResult=success', { isActive: true, isEnabled: true, isFailing: false, words: 'active (running)', pid: 7 }],
    ['ActiveState=activating\nSubState=auto-restart\nMainPID=0\nUnitFileState=enabled\nResult=signal', { isActive: false, isEnabled: true, isFailing: true, words: 'activating (auto-restart)' }],
    ['ActiveState=failed\nSubState=failed\nMainPID=0\nUnitFileState=disabled\nResult=exit-code', { isActive: false, isEnabled: false, isFailing: true, words: 'failed (exit-code)' }],
    ['', { isActive: false, isEnabled: false, isFailing: false, words: 'unknown ()' }],
  ])('stands as systemctl says: %j', async (stdout, state) => {
    const { service } = start({ show: { stdout } });
    expect(await service.state()).toMatchObject(state);
  });

  it.each([
    [{ stdout: 'Linger=yes\n' }, true],
    [{ stdout: 'Linger=no\n' }, false],
    [{ code: 1, stderr: 'Failed to get user: User ID 1000 is not logged in or lingering' }, false],
    [{ code: 127 }, undefined],
  ])('lingers as loginctl says: %j', async (ran, lingers) => {
    const { service } = start({ loginctl: ran });
    expect((await service.state()).lingers).toBe(lingers);
  });
});

describe('the service of a home', () => {
  it('has the usual name for the usual home, and lies where its user keeps configuration', () => {
    const env = { HOME: '/home/anna' };
    expect(findService(findHome(env), env, 'linux')).toMatchObject({ name: NAME, file: `/home/anna/.config/systemd/user/${NAME}` });
    const other = { ...env, GIT_XMPP_HOME: '/srv/xmpp', XDG_CONFIG_HOME: '/conf' };
    expect(findService(findHome(other), other, 'linux').file).toMatch(/^\/conf\/systemd\/user\/git-xmpp-[0-9a-f]{12}\.service$/);
    expect(findService(findHome(env), env, 'darwin').file).toBe('/home/anna/Library/LaunchAgents/org.git-xmpp.agent.plist');
  });
});
