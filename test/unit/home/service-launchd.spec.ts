// A service of launchd, as far as it can be had without a Mac: what is asked of launchctl, in which order, and what is made of its answers.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LaunchdService } from '../../../src/home/service-launchd.ts';
import type { ServicePlan } from '../../../src/home/service-format.ts';
import type { Ran } from '../../../src/home/service-run.ts';
import { makeFolder } from '../../helpers/repo.ts';

const LABEL = 'org.git-xmpp.agent';
const TARGET = `gui/501/${LABEL}`;
const PLAN: ServicePlan = { node: '/usr/local/bin/node', program: '/p/agent.mjs', home: '/h', environment: {}, log: '/h/agent.log' };

/** A launchctl that knows whether it has the job. */
function start(): { readonly service: LaunchdService; readonly asked: string[]; readonly file: string; isLoaded: boolean } {
  const file = join(makeFolder(), 'Library/LaunchAgents', `${LABEL}.plist`);
  const asked: string[] = [];
  const world = {
    isLoaded: false,
    asked,
    file,
    service: new LaunchdService({
      label: LABEL,
      file,
      log: '/h/agent.log',
      uid: 501,
      run: async (_command, [verb = '', ...args]): Promise<Ran> => {
        asked.push([verb, ...args].join(' '));
        if (verb === 'bootstrap') world.isLoaded = true;
        if (verb === 'bootout') world.isLoaded = false;
        const isKnown = verb !== 'print' || world.isLoaded;
        return { code: isKnown ? 0 : 113, stdout: isKnown ? `${TARGET} = {\n\tstate = running\n\tpid = 4711\n}\n` : '', stderr: '' };
      },
    }),
  };
  return world;
}

describe('a service of launchd', () => {
  it('is written and loaded into the session of its user, once', async () => {
    const { service, asked, file } = start();
    expect(await service.install(PLAN)).toBe('new');
    expect(asked).toEqual([`print ${TARGET}`, `enable ${TARGET}`, `bootstrap gui/501 ${file}`]);
    expect(readFileSync(file, 'utf8')).toContain('<string>/p/agent.mjs</string>');
    asked.length = 0;
    expect(await service.install(PLAN)).toBe('same');
    expect(asked).toEqual([`print ${TARGET}`, `kickstart ${TARGET}`]);
    expect(await service.isUpToDate(PLAN)).toBe(true);
  });

  it('is loaded anew when what it runs has changed', async () => {
    const { service, asked, file } = start();
    await service.install(PLAN);
    asked.length = 0;
    const moved = { ...PLAN, program: '/q/agent.mjs' };
    expect(await service.isUpToDate(moved)).toBe(false);
    expect(await service.install(moved)).toBe('changed');
    expect(asked).toEqual([`print ${TARGET}`, `bootout ${TARGET}`, `enable ${TARGET}`, `bootstrap gui/501 ${file}`]);
  });

  it('tells how it stands, and is gone after uninstall', async () => {
    const world = start();
    await world.service.install(PLAN);
    expect(await world.service.state()).toEqual({ isInstalled: true, isEnabled: true, isActive: true, words: 'running', isFailing: false, pid: 4711 });
    expect(await world.service.uninstall()).toBe(true);
    expect(world.isLoaded || existsSync(world.file)).toBe(false);
    expect(await world.service.uninstall()).toBe(false);
    expect(await world.service.state()).toMatchObject({ isInstalled: false, isEnabled: false, isActive: false, words: 'not loaded' });
  });
});
