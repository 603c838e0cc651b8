// A paired device that the spec plays itself: the real identity of a home whose agent does not run, signed in for real.
// Rule: the spec says what it says; all that carries it is the agent's own code.

import type { TLSSocket } from 'node:tls';
import { InBand } from '../../src/carriers/in-band.ts';
import { loadIdentity } from '../../src/home/identity.ts';
import type { Identity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Acceptor } from '../../src/link/accept.ts';
import { dialLink } from '../../src/link/dial.ts';
import type { DialledLink } from '../../src/link/dialled-link.ts';
import { PipeStream } from '../../src/link/pipe-stream.ts';
import { secureAsDialler } from '../../src/link/secure.ts';
import type { LinkHandlers } from '../../src/link/serve.ts';
import { GIVE_UP_MS } from '../../src/pipe/lifecycle.ts';
import { ReplayBudget } from '../../src/pipe/replay-budget.ts';
import { connect } from '../../src/xmpp/connection.ts';
import { xml } from '../../src/xmpp/element.ts';
import { NS_AGENT } from '../../src/xmpp/namespaces.ts';
import { parseDeviceId } from '../../src/lib/names.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import type { Device } from './device.ts';
import { newLinkId } from './link-world.ts';
import type { Prosody } from './prosody.ts';

export interface PlayedDevice {
  readonly inBand: InBand;
  readonly jid: FullJid;
  /** Says hello, as an agent does that has just signed in. @param as another device, which it is not */
  hello(to: FullJid, as?: DeviceId): Promise<void>;
  /** Links to the device that shows `pin`. */
  dial(to: FullJid, pin: string): Promise<DialledLink>;
  /** The same with nothing above TLS: whoever asks for it speaks HTTP/2 himself. */
  dialRaw(to: FullJid, pin: string): Promise<TLSSocket>;
  /** Who it is. */
  readonly own: Identity;
  stop(): Promise<void>;
}

export interface Played {
  readonly server: Prosody;
  readonly account: string;
  readonly password: string;
  /** What it answers on links that are dialled to it; whoever dials is let in. */
  readonly handlers?: Partial<LinkHandlers<DeviceId>>;
}

const unasked = (): Promise<never> => Promise.reject(new Error('this spec asks no such thing'));

/** Signs in as `device`, whose agent must be stopped. */
export async function playDevice(device: Device, { server, account, password, handlers = {} }: Played): Promise<PlayedDevice> {
  const own = await loadIdentity(findHome(device.env), { name: device.name });
  const jid = parseBareJid(`${account}@${server.domain}`);
  const at = { host: server.host, port: server.port, isDirectTls: false };
  const [clock, log, budget] = [realClock, silentLog, new ReplayBudget()];
  const connection = await connect({ account: { jid, server: at, ca: server.caPem }, password, resource: own.resource, clock, log });
  const inBand = new InBand({ connection, clock, log, random: (size) => crypto.getRandomValues(new Uint8Array(size)) });
  const acceptor = new Acceptor({
    own,
    findPeer: () => parseDeviceId('0'.repeat(32)),
    handlers: { digest: unasked, repos: unasked, carriers: unasked, devices: unasked, map: unasked, offer: unasked, partial: unasked, packState: unasked, pack: unasked, service: unasked, ...handlers },
    clock,
    log,
    budget,
    giveUpMs: () => GIVE_UP_MS,
    onSuspect: () => undefined,
    onStranger: () => undefined,
    onCarrier: () => undefined,
  });
  inBand.onCarrier((carrier) => acceptor.accept(carrier));
  const hello = xml('hello', { xmlns: NS_AGENT, device: own.device });
  connection.handleIq(NS_AGENT, 'hello', () => Promise.resolve(hello));
  const links: DialledLink[] = [];
  const pipes: PipeStream[] = [];
  return {
    inBand,
    jid: connection.jid,
    async hello(to, as = own.device) {
      await connection.iq('set', to, xml('hello', { xmlns: NS_AGENT, device: as }));
    },
    async dial(to, pin) {
      const link = await dialLink({
        own,
        pin,
        linkId: newLinkId(),
        budget,
        address: to,
        currentAddress: () => to,
        openCarrier: (address) => inBand.open(address),
        onWayFree: () => () => undefined,
        clock,
        random: () => 0,
        log,
        openOwn: unasked,
        mayGrow: () => false,
        onCarrier: () => undefined,
        onUnreachable: () => undefined,
        giveUpMs: () => GIVE_UP_MS,
        onSuspect: () => undefined,
      });
      links.push(link);
      return link;
    },
    own,
    async dialRaw(to, pin) {
      const quiet = { onDetached: () => undefined, onAttached: () => undefined, onSuspect: () => undefined, onFault: () => undefined };
      const pipe = new PipeStream({ role: 'dialler', linkId: newLinkId(), clock, budget, giveUpMs: GIVE_UP_MS, ...quiet });
      pipe.on('error', () => undefined);
      pipes.push(pipe);
      pipe.attach(await inBand.open(to));
      const { stream, resumeKey } = await secureAsDialler(pipe, own, pin);
      pipe.setResumeKey(resumeKey);
      stream.on('error', () => undefined);
      return stream;
    },
    async stop() {
      for (const pipe of pipes) pipe.destroy();
      for (const link of links) link.session.destroy();
      acceptor.stop();
      await inBand.stop();
      await connection.close();
    },
  };
}
