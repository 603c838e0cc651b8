// Machines behind routers that translate addresses, and a server in the open between them: namespaces, veth pairs and nftables.
// Rule: from behind one router nothing behind another can be reached, nor the other way round; whatever is made here is gone after `stop`.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const TYPESCRIPT = path.join(import.meta.dirname, '../../scripts/typescript.mjs');

export interface NatNetwork {
  /** The address in the open: what listens on it is reached from everywhere. */
  readonly open: string;
  /** Command and first arguments that run something on the machine `number` behind the router `lan`, both from 1. */
  enter(lan: number, number: number): readonly string[];
  /** Its address behind the router. */
  addressOf(lan: number, number: number): string;
  /** The router passes nothing on any more, and says nothing about it, as a captive network does; or does again. */
  capture(lan: number, isCaptive: boolean): void;
  /** The router itself answers every connection and every question for a name; `free` is the address that names have while it is not captive. */
  portal(lan: number, free: string): Promise<Portal>;
  /** The machine gets another address on its network, and its route anew; what went from and to the old one is lost. */
  readdress(lan: number, number: number): void;
  /** Machines behind the router reach it and no longer each other, as many wireless networks have it; or again. */
  isolate(lan: number, isIsolated: boolean): void;
  /** Everything through the router takes so long each way, and so many of a hundred packets are lost; only where `hasNetem`. */
  stretch(lan: number, path: { readonly delayMs: number; readonly lossPercent: number }): void;
  /** The router drops so many of a hundred packets, both ways. */
  lose(lan: number, percent: number): void;
  stop(): void;
}

export interface Portal {
  capture(isCaptive: boolean): void;
  stop(): void;
}

const PORTAL_PORT = 8080;

/** @param lans how many machines are behind each router @throws where this user may make no network namespaces, or there is no nft */
export function makeNatNetwork(lans: readonly number[]): NatNetwork {
  const id = `gx${process.pid}`;
  // Of the block that is set aside for tests between machines (RFC 2544).
  const open = `198.19.${process.pid % 250}`;
  const bridge = `${id}b`;
  const router = (lan: number): string => `${id}r${lan}`;
  const machine = (lan: number, number: number): string => `${id}m${lan}${number}`;
  const inside = (lan: number): string => `10.77.${lan}`;
  const numbers = new Map<string, number>();
  const made: (readonly string[])[] = [];
  const stop = (): void => {
    for (const args of made.splice(0).reverse()) run('ip', args);
  };
  const make = (args: readonly string[], unmake: readonly string[]): void => {
    run('ip', args);
    made.push(unmake);
  };
  const joinMachine = (lan: number, number: number): void => {
    const name = machine(lan, number);
    make(['netns', 'add', name], ['netns', 'delete', name]);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', router(lan), 'link', 'add', `p${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('-n', router(lan), 'link', 'set', `p${number}`, 'master', 'lan', 'up');
    ip('-n', name, 'address', 'add', `${inside(lan)}.${number + 1}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'route', 'add', 'default', 'via', `${inside(lan)}.1`);
  };
  const makeLan = (lan: number, machines: number): void => {
    const name = router(lan);
    make(['netns', 'add', name], ['netns', 'delete', name]);
    const outer = `${id}o${lan}`;
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
    ip('link', 'set', outer, 'master', bridge, 'up');
    ip('-n', name, 'link', 'add', 'lan', 'type', 'bridge');
    ip('-n', name, 'address', 'add', `${inside(lan)}.1/24`, 'dev', 'lan');
    ip('-n', name, 'address', 'add', `${open}.${lan + 1}/24`, 'dev', 'wan');
    for (const link of ['lo', 'lan', 'wan']) ip('-n', name, 'link', 'set', link, 'up');
    run('ip', ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    nft(name, RULES);
    for (let number = 1; number <= machines; number += 1) joinMachine(lan, number);
  };
  try {
    make(['link', 'add', bridge, 'type', 'bridge'], ['link', 'delete', bridge]);
    ip('address', 'add', `${open}.1/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    lans.forEach((machines, index) => makeLan(index + 1, machines));
  } catch (cause) {
    stop();
    throw new Error('this spec needs network namespaces and nftables, which are refused or absent here', { cause });
  }
  return {
    open: `${open}.1`,
    enter: (lan, number) => ['ip', 'netns', 'exec', machine(lan, number)],
    addressOf: (lan, number) => `${inside(lan)}.${numbers.get(machine(lan, number)) ?? number + 1}`,
    readdress: (lan, number) => {
      const name = machine(lan, number);
      const last = (numbers.get(name) ?? number + 1) + 50;
      numbers.set(name, last);
      ip('-n', name, 'address', 'flush', 'dev', 'eth0');
      ip('-n', name, 'address', 'add', `${inside(lan)}.${last}/24`, 'dev', 'eth0');
      ip('-n', name, 'route', 'replace', 'default', 'via', `${inside(lan)}.1`);
    },
    isolate: (lan, isIsolated) => {
      for (let number = 1; number <= (lans[lan - 1] ?? 0); number += 1) ip('-n', router(lan), 'link', 'set', `p${number}`, 'type', 'bridge_slave', 'isolated', isIsolated ? 'on' : 'off');
    },
    stretch: (lan, { delayMs, lossPercent }) => {
      for (const link of ['lan', 'wan']) run('ip', ['netns', 'exec', router(lan), 'tc', 'qdisc', 'replace', 'dev', link, 'root', 'netem', 'delay', `${delayMs}ms`, 'loss', `${lossPercent}%`]);
    },
    portal: (lan, free) => startPortal({ namespace: router(lan), address: `${inside(lan)}.1`, free }),
    capture: (lan, isCaptive) => nft(router(lan), `flush chain ip gateway captive\n${isCaptive ? 'add rule ip gateway captive drop\n' : ''}`),
    lose: (lan, percent) => nft(router(lan), `flush chain ip gateway captive\n${percent > 0 ? `add rule ip gateway captive numgen random mod 100 < ${percent} drop\n` : ''}`),
    stop,
  };
}

/** Whether this kernel can delay and lose packets by itself (tc-netem(8)). */
export function hasNetem(): boolean {
  const name = `gx${process.pid}t`;
  try {
    ip('netns', 'add', name);
  } catch {
    return false;
  }
  try {
    run('ip', ['netns', 'exec', name, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
    return true;
  } catch {
    return false;
  } finally {
    ip('netns', 'delete', name);
  }
}

/** Runs portal.ts on the router, and leads every connection to it while it is captive. */
async function startPortal({ namespace, address, free }: { readonly namespace: string; readonly address: string; readonly free: string }): Promise<Portal> {
  const file = path.join(import.meta.dirname, 'portal.ts');
  const args = ['netns', 'exec', namespace, process.execPath, '--import', TYPESCRIPT, file, address, String(PORTAL_PORT), free];
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    capture: (isCaptive) => {
      child.stdin.write(isCaptive ? 'captive\n' : 'free\n');
      const rules = [`add rule ip gateway captive drop`, `add rule ip gateway portal iifname "lan" tcp dport != ${PORTAL_PORT} redirect to :${PORTAL_PORT}`];
      nft(namespace, `flush chain ip gateway captive\nflush chain ip gateway portal\n${isCaptive ? rules.join('\n') : ''}\n`);
    },
    stop: () => child.stdin.end(),
  };
}

/** What a router at home does: out with its own address, in only with what was asked for. */
const RULES = `table ip gateway {
  chain translate {
    type nat hook postrouting priority 100;
    oifname "wan" masquerade
  }
  chain portal {
    type nat hook prerouting priority -100;
  }
  chain captive {
  }
  chain between {
    type filter hook forward priority 0; policy drop;
    jump captive
    ct state established,related accept
    iifname "lan" accept
  }
}
`;

function ip(...args: string[]): void {
  run('ip', args);
}

function nft(namespace: string, rules: string): void {
  execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'pipe'] });
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
