import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { interfacesOfMachine, routesOfMachine } from '../../../src/agent/network.ts';
import type { Interfaces } from '../../../src/agent/wake-machine.ts';

describe('what the network of this machine looks like', () => {
  it('is as it was while the system cannot tell, as when no descriptor is left', () => {
    const eth0: Interfaces = { eth0: [{ address: '192.0.2.7', internal: false }] };
    const answers: (Interfaces | Error)[] = [new Error('uv_interface_addresses returned Unknown system error 24'), eth0, new Error('again'), {}];
    const look = interfacesOfMachine(() => {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no more');
      return answer;
    });
    expect([look(), look(), look(), look(), look()]).toEqual([{}, eth0, eth0, {}, {}]);
  });

  it('has no default routes where there is no table of them', () => {
    expect(routesOfMachine('/nowhere/route')()).toBe('');
    expect(routesOfMachine(import.meta.dirname)()).toBe('');
  });

  it('keeps its default routes while the table cannot be read', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'git-xmpp-routes-'));
    const table = path.join(dir, 'route');
    writeFileSync(table, 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\n');
    const look = routesOfMachine(table);
    expect(look()).toBe('eth0 0100A8C0');
    rmSync(dir, { recursive: true });
    expect(look()).toBe('eth0 0100A8C0');
  });
});
