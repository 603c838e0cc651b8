import { describe, expect, it } from 'vitest';
import { parseDefaultRoutes } from '../../../src/agent/network-format.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const row = (name: string, destination: string, gateway: string, mask: string, use = '0'): string => [name, destination, gateway, '0003', '0', use, '100', mask, '0', '0', '0'].join('\t');

describe('the default routes of proc(5)', () => {
  it('are told by interface and gateway, in any order and whatever was counted', () => {
    const one = [HEAD, row('eth0', '00000000', '0100A8C0', '00000000'), row('eth0', '0000A8C0', '00000000', '00FFFFFF'), row('wlan0', '00000000', '01000A0A', '00000000')];
    const other = [HEAD, row('wlan0', '00000000', '01000A0A', '00000000', '77'), row('eth0', '00000000', '0100A8C0', '00000000', '5'), ''];
    expect(parseDefaultRoutes(one.join('\n'))).toBe('eth0 0100A8C0\nwlan0 01000A0A');
    expect(parseDefaultRoutes(other.join('\n'))).toBe(parseDefaultRoutes(one.join('\n')));
  });

  it.each(['', HEAD, `${HEAD}\n`, 'nonsense', `${HEAD}\neth0`, '\0\n\0\t00000000'])('are none in %j', (text) => {
    expect(parseDefaultRoutes(text)).toBe('');
  });
});
