// Two devices of one account on a private server, signed in and paired: what most integration specs begin with. All goes through the server, so that
// what is cut or read there is what they say to each other; `ladder.spec.ts` has the other ways.
// Rule: what was started is stopped, also where the setting failed half-way.

import { Device, pairDevices } from './device.ts';
import { startProsody } from './prosody.ts';
import type { Prosody, ProsodyOptions, ProsodySettings } from './prosody.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

export const ACCOUNT = 'romeo';
export const PASSWORD = 'correct-horse';

export interface TwoDevices {
  readonly server: Prosody;
  readonly laptop: Device;
  readonly desktop: Device;
  /** Stands before the server for the desktop alone. */
  readonly proxy: TcpProxy;
  stop(): Promise<void>;
}

/** Servers on which every spec that begins here can be run: `XMPP_ON=tiny npm test -- --project integration`. What a spec itself asks for comes first. */
const SERVERS: Readonly<Record<string, ProsodyOptions>> = {
  tiny: { stanzaLimit: 10_000 },
  bare: { hasPep: false, hasSm: false },
};

/** @throws Error naming the servers there are */
function chosenServer(name = process.env.XMPP_ON): ProsodyOptions {
  if (name === undefined || name === '') return {};
  const found = SERVERS[name];
  if (found === undefined) throw new Error(`XMPP_ON names none of ${Object.keys(SERVERS).join(', ')}`);
  return found;
}

/** What an attack by way of PEP needs. */
export const hasPep = chosenServer().hasPep !== false;

/** @param accounts further accounts of the server, name to password */
export async function startTwoDevices(settings: ProsodySettings = {}, accounts: Readonly<Record<string, string>> = {}): Promise<TwoDevices> {
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const server = await startProsody({ hasProxy: false, ...chosenServer(), ...settings, accounts: { ...accounts, [ACCOUNT]: PASSWORD } });
    started.push(() => server.stop());
    const proxy = await startTcpProxy({ host: server.host, port: server.port });
    started.push(() => proxy.stop());
    const [laptop, desktop] = await Promise.all(['laptop', 'desktop'].map((name) => new Device(name).prepare()));
    if (laptop === undefined || desktop === undefined) throw new Error('two names make two devices');
    for (const device of [laptop, desktop]) started.push(() => device.remove());
    for (const device of [laptop, desktop]) await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    await Promise.all([laptop.login(server, ACCOUNT, PASSWORD), desktop.login(server, ACCOUNT, PASSWORD, proxy)]);
    const { typed } = await pairDevices(laptop, desktop);
    if (typed.code !== 0) throw new Error(`pairing failed: ${typed.stderr}`);
    return { server, proxy, laptop, desktop, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A repository of the laptop's, shared and cloned on the desktop.
 * @returns where it is on each
 * @throws when it could not be shared
 */
export async function shareNotes({ laptop, desktop }: TwoDevices, files?: Readonly<Record<string, string>>): Promise<{ readonly notes: string; readonly copy: string }> {
  const notes = await laptop.repo('notes', files);
  const { code, stderr } = await laptop.xmppIn(notes, 'share');
  if (code !== 0) throw new Error(`sharing failed: ${stderr}`);
  await desktop.xmpp('clone', 'laptop/notes');
  return { notes, copy: desktop.path('notes') };
}
