// What `npm run prove` runs, in order, and what each part shows. Rule: a step is a command that a person can type, and its exit code is the verdict.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** One part of the proof. */
export interface Step {
  readonly name: string;
  /** What it shows when it ends well, for the report. */
  readonly shows: string;
  /** Of `npm`, from the project's root. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Lines at the end of its output that hold its figures. */
  readonly figures: number;
}

/** As a person types it. */
export function commandOf({ args, env }: Step): string {
  const words = [...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`), 'npm', ...args];
  return words.join(' ');
}

const CARRIERS = ['in-band', 'socks5', 'direct'] as const;
/** Of two-devices.ts: what each of them lacks, and the spec that is about just that: a stranger's long stanzas do not get through where they may not be long. */
const SERVERS = { tiny: { lacks: 'stanzas of 10 000 bytes at most', without: 'attackers-outside' }, bare: { lacks: 'neither PEP nor stream management', without: undefined } } as const;
const INTEGRATION = path.join(import.meta.dirname, '../integration');

/** Those whose two devices may be at any server. */
function specsOfTwoDevices(without: string | undefined): readonly string[] {
  const names = readdirSync(INTEGRATION).filter((name) => readFileSync(path.join(INTEGRATION, name), 'utf8').includes('startTwoDevices('));
  return names.filter((name) => name !== `${without}.spec.ts`).sort().map((name) => `test/integration/${name}`);
}

/** @param scale 1 is the whole proof, which takes some two hours; less makes each part shorter, and shows less */
export function stepsOf(scale: number): readonly Step[] {
  const some = (count: number, least: number): string => String(Math.max(least, Math.round(count * scale)));
  const npm = (script: string, ...args: string[]): readonly string[] => ['run', script, '--', ...args];
  return [
    {
      name: 'every test, on every server and network',
      shows: 'lint, types, unit and property tests, the integration specs, the main job on each server of test/profiles, machines behind separate routers',
      args: ['test'],
      env: { XMPP_PROFILES: 'all', XMPP_INTEROP: 'slixmpp' },
      figures: 3,
    },
    ...Object.entries(SERVERS).map(([server, { lacks, without }]) => ({
      name: `integration specs on a server with ${lacks}`,
      shows: 'what begins with two devices of one account works there as on a server without limits',
      args: npm('test', '--project', 'integration', ...specsOfTwoDevices(without)).slice(1),
      env: { XMPP_ON: server },
      figures: 1,
    })),
    ...CARRIERS.map((carrier) => ({
      name: `faults on the way, ${carrier}`,
      shows: 'pushes, fetches, clones and commits both ways end right while connections are cut, swallowed, held and reordered and the server restarts twice; no restart from nothing; memory and descriptors bounded',
      args: npm('soak', '--seconds', some(600, 20), '--seed', '4', '--carrier', carrier),
      figures: 5,
    })),
    {
      name: 'kill -9 of agents and of their git processes',
      shows: 'no commit is lost, every repository is sound, every copy ends at one commit',
      args: npm('soak', '--kills', some(100, 3), '--seed', '1'),
      figures: 5,
    },
    {
      name: 'a storm of everything at once, three devices on two repositories',
      shows:
        'no commit is lost, every repository is sound, every command ends with success or words that name the fault, memory and descriptors stay bounded, nothing is left behind, and all copies are equal soon after the last fault: '
        + 'cuts, black holes, half-open connections, restarts of the server, sleep past its patience, kills, full and read-only disks, descriptors, clocks, two pushes at one moment',
      args: npm('soak', '--storm', '--seconds', some(600, 60), '--seed', '1'),
      figures: 6,
    },
    {
      name: 'graphs of 1 000 devices and hubs',
      shows: 'the engine of the agent ends at the same tips on all devices after the last fault heals',
      args: npm('simulate', '--seeds', some(20, 1), '--devices', '1000', '--seed', '1'),
      figures: 1,
    },
    {
      name: 'graphs of mixed policies',
      shows: 'the same, with ff, merge and none side by side',
      args: npm('simulate', '--mixed', '--seeds', some(300, 5), '--devices', '40'),
      figures: 1,
    },
    {
      name: 'invariants broken on purpose',
      shows: 'each promise of a long list, broken in the code by one small edit, is noticed by a test',
      args: npm('sabotage', '--share', String(scale)),
      figures: 1,
    },
    {
      name: 'one agent, up to 100 repositories and 20 peers',
      shows: 'every commit reaches every peer; latency, memory, processor time and descriptors as repositories and peers grow',
      args: npm('scale', 'agent', ...(scale === 1 ? ['--plots', 'docs'] : ['--sizes', '1x1,3x2']), '--commits', some(20, 4)),
      figures: 11,
    },
    {
      name: 'one server, up to 200 agents, and two nodes of one',
      shows: 'every commit arrives; latency, memory and processor time as agents grow, at Prosody and at an ejabberd of two nodes',
      args: npm('scale', 'server', 'cluster', ...(scale === 1 ? ['--plots', 'docs'] : ['--agents', '4']), '--seconds', some(60, 10)),
      figures: 14,
    },
    {
      name: 'spoiled input',
      shows: 'everything that reads bytes from outside reads or refuses them; it never crashes, hangs or grows',
      args: npm('fuzz', '--seconds', some(300, 10)),
      figures: 2,
    },
  ];
}
