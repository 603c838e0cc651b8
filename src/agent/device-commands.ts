// What the door can be asked of devices and grants (docs/git-xmpp.1): peers, unpair, introduce, grant, a new key. Rule: checked against what is known,
// done by the part it belongs to, answered in words that say who was told, who is told later, and what to type next.

import { Fault } from '../lib/errors.ts';
import { parseBareJid } from '../lib/jid.ts';
import type { Grant } from '../lib/names.ts';
import { renewIdentity } from '../home/identity.ts';
import { grantedBranches, grantOf } from '../home/repos.ts';
import type { Peer } from '../home/peers.ts';
import { removeContact } from '../xmpp/contact.ts';
import { noSuchRepo } from './agent.ts';
import type { IntroduceAnswer, PeersAnswer, RenewAnswer, UnpairAnswer } from './device-answers.ts';
import type { AgentParts } from './parts.ts';
import { peerStatus } from './status.ts';
import { findPeer } from './streams.ts';

export interface GrantRequest {
  readonly peer: string;
  readonly repo: string;
  readonly grant: Grant;
  /** Globs; none for all branches that are shared. */
  readonly branches: readonly string[];
}

/** Asks one agent. */
export class DeviceCommands {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  peers(): PeersAnswer {
    const { peers, peering } = this.#parts;
    return { peers: peers.list().map((peer) => this.#describe(peer)), notes: peering.devices.notes };
  }

  async unpair(name: string): Promise<UnpairAnswer> {
    const { peers, peering, account } = this.#parts;
    const peer = findPeer(peers, name);
    const { told, orphans } = await peering.devices.unpair(peer);
    const isLast = !peers.list().some(({ jid }) => jid === peer.jid);
    const { connection } = account;
    if (peer.isContactAddedByUs === true && isLast && connection !== undefined) await removeContact(connection, peer.jid).catch(() => undefined);
    return { kind: peer.kind, ...byOutcome(told), orphans: orphans.map(({ petname }) => petname) };
  }

  async introduce(name: string): Promise<IntroduceAnswer> {
    const { peers, peering } = this.#parts;
    const peer = findPeer(peers, name);
    const { told } = await peering.devices.introduce(peer);
    const refused = told.flatMap(({ peer: { petname }, refused: all }) => all.map((words) => `${petname}: this device ${words}`));
    return { ...byOutcome(told), refused };
  }

  async grant({ peer, repo: name, grant, branches }: GrantRequest): Promise<void> {
    const { repos, peers, peering } = this.#parts;
    const repo = repos.byName(name);
    if (repo === undefined) throw noSuchRepo(name, repos);
    if (grant === 'none' && branches.length > 0) throw new Fault('wrong-use', '"none" names no branches');
    const key = peer.includes('@') ? parseBareJid(peer) : findPeer(peers, peer).device;
    const { [key]: _before, ...others } = repo.grantBranches ?? {};
    const grantBranches = branches.length === 0 ? others : { ...others, [key]: branches };
    await repos.update(repo.id, { grants: { ...repo.grants, [key]: grant }, grantBranches });
    peering.regrant(repo.id);
    await Promise.all(peers.list().map(({ device }) => peering.contacts.contact(device)));
  }

  /** A key for a device that was unpaired; whoever was paired with the old one has to be paired again. The agent has to be started anew. */
  async renew(): Promise<RenewAnswer> {
    const { home, peers, peering } = this.#parts;
    if (peering.devices.isPaired) throw new Fault('wrong-use', 'this device was not unpaired: its key is in use', { remedy: 'git xmpp pair' });
    const names = peers.list().map(({ petname }) => petname);
    for (const peer of peers.list()) await peering.devices.letGo(peer, 'this device has a new key');
    await renewIdentity(home);
    await peering.devices.beginAnew();
    return { unpaired: names };
  }

  #describe(peer: Peer): PeersAnswer['peers'][number] {
    const { peering, repos } = this.#parts;
    const status = peerStatus(peer, { isOnline: peering.contacts.isOnline(peer.device), links: peering.linkStats(peer.device) });
    const grants = repos.list().map((repo) => {
      const branches = grantedBranches(repo, peer);
      return { repo: repo.name, grant: grantOf(repo, peer), ...(branches.length === 0 ? {} : { branches }) };
    });
    return { ...status, ...(peer.viaName === undefined ? {} : { via: peer.viaName }), pairedAt: peer.pairedAt, grants };
  }
}

function byOutcome(told: readonly { readonly peer: Peer; readonly how: 'told' | 'later' }[]): { readonly told: readonly string[]; readonly later: readonly string[] } {
  const names = (how: 'told' | 'later'): string[] => told.filter((each) => each.how === how).map(({ peer }) => peer.petname);
  return { told: names('told'), later: names('later') };
}
