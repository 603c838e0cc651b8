// The door's routes: bodies and queries parsed strictly, then one method of the agent (docs/API.md).
// Rule: nothing is decided here; a field that is missing, wrong or unknown is named.

import { parseBareJid, parseFullJid } from '../lib/jid.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { parseGrant, parseOid, parseRepoName } from '../lib/names.ts';
import type { RepoId } from '../lib/names.ts';
import type { ControlHandler, ControlRequest, Routes } from '../control/server.ts';
import { parseHostAndPort } from '../home/account.ts';
import type { Account } from '../home/account.ts';
import { parseDeviceName } from '../home/device-name-format.ts';
import { Fields } from '../home/fields-format.ts';
import type { Peer } from '../home/peers.ts';
import { readAudience } from './agent.ts';
import type { Agent } from './agent.ts';
import { cloneLines } from './clone.ts';
import type { CloneRequest } from './clone.ts';
import { makeDaemonRoutes } from './daemon-routes.ts';
import { makeDevicesRoutes } from './devices-routes.ts';
import { makeDoctorRoutes } from './doctor-routes.ts';
import type { ShowOptions, TypeOptions } from './pairing.ts';
import { makePauseRoutes } from './pause-routes.ts';
import { json, parsePath, take } from './routing.ts';
import type { ShareRequest } from './share.ts';
import { makeLogRoutes } from './log-routes.ts';
import { findPeer, openStream } from './streams.ts';

/** All routes of an agent; `stop` ends it after the answer is out. */
export function makeRoutes(agent: Agent, stop: () => void): Routes {
  const { parts } = agent;
  const known = { ...parts, links: parts.peering.links };
  const asked = { ...known, knownRepo: (peer: Peer, name: string): RepoId | undefined => parts.peering.twins.idOf(peer.device, name) };
  const streams: ControlHandler = { kind: 'stream', open: (request, socket) => openStream(asked, request, socket) };
  return {
    ...makeDevicesRoutes(agent, stop),
    ...makePauseRoutes(agent),
    ...makeDaemonRoutes(agent),
    ...makeLogRoutes(agent),
    'GET /account': json(() => Promise.resolve(parts.account.answer())),
    'GET /status': json(() => agent.status()),
    'GET /repos': json(({ query }) => agent.listRepos(query.get('peer') ?? undefined)),
    'GET /log': json(({ query }) => agent.log(parsePath(query.get('path') ?? ''))),
    ...makeDoctorRoutes(agent),
    'GET /events': { kind: 'lines', answer: (request) => events(agent, request) },
    'POST /login': json(({ body, signal }) => agent.login(parseLogin(body), signal)),
    'POST /logout': json(() => agent.logout()),
    'POST /pair': { kind: 'lines', answer: ({ body, signal }) => agent.pair({ ...parseShow(body), signal }) },
    'POST /pair/join': json(({ body, signal }) => agent.join({ ...parseJoin(body), signal })),
    'POST /peers/rename': json(({ body }) => take(body, (fields) => agent.rename(fields.text('peer', String), fields.text('name', String)))),
    'POST /share': json(({ body }) => agent.share(parseShare(agent, body))),
    'POST /clone': { kind: 'lines', answer: ({ body, signal }) => cloneLines(agent, parseClone(agent, body), signal) },
    'POST /unshare': json(({ body }) => take(body, (fields) => agent.unshare(fields.text('path', parsePath)))),
    'POST /sync': json(({ body }) => agent.sync(take(body, (fields) => fields.parseOptional('path', (name) => fields.text(name, parsePath)).path))),
    'POST /push-to-checkout': json(({ body }) => agent.checkOut(take(body, parseCheckout))),
    'POST /stop': json(() => Promise.resolve(stop())),
    'POST /streams': streams,
    'POST /streams/direct': streams,
  };
}

/** Server-sent events go on by themselves, and begin after the last that the caller has. */
async function* events(agent: Agent, { query, signal, isEventStream, lastEventId }: ControlRequest): AsyncGenerator {
  const after = lastEventId ?? query.get('after') ?? undefined;
  const first = agent.parts.events.since(after === undefined ? undefined : parseEventId(after));
  if (isEventStream === true || query.get('follow') === '1') yield* agent.parts.events.follow(signal, first);
  else yield* first;
}

function parseEventId(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new InputFault('event id', 'is no whole number');
  return Number(text);
}

function parseLogin(body: unknown): { readonly account: Account; readonly password: string; readonly device: string | undefined } {
  return take(body, (fields) => {
    const jid = fields.text('jid', parseBareJid);
    const password = fields.text('password', String);
    const server = fields.parseOptional('server', (name) => fields.text(name, parseServer));
    const caFile = fields.parseOptional('caFile', (name) => fields.text(name, parsePath));
    const { device } = fields.parseOptional('device', (name) => fields.text(name, parseDeviceName));
    return { account: { jid, ...server, ...caFile }, password, device };
  });
}

/** `host:port`, or `xmpps://host:port` for TLS from the first byte. */
function parseServer(text: string): NonNullable<Account['server']> {
  const isDirectTls = text.startsWith('xmpps://');
  return { ...parseHostAndPort(text.replace(/^xmpps?:\/\//, '')), isDirectTls };
}

function parseShow(body: unknown): Omit<ShowOptions, 'signal'> {
  return take(body, (fields) => {
    const { as } = fields.parseOptional('as', (name) => fields.text(name, String));
    const isContact = fields.flag('isContact');
    const jid = fields.parseOptional('with', (name) => fields.text(name, parseBareJid)).with;
    if (isContact && jid === undefined) throw new Fault('wrong-use', 'whose contact?', { remedy: 'git xmpp pair --contact --with friend@example.org' });
    return { isInvite: fields.flag('isInvite'), as, contact: isContact ? jid : undefined };
  });
}

function parseJoin(body: unknown): Omit<TypeOptions, 'signal'> {
  return take(body, (fields) => ({
    isContact: fields.flag('isContact'),
    ...fields.parseOptional('code', (name) => fields.text(name, String)),
    ...fields.parseOptional('invite', (name) => fields.text(name, String)),
    ...fields.parseOptional('with', (name) => fields.text(name, parseShowerJid)),
    ...fields.parseOptional('as', (name) => fields.text(name, String)),
  }));
}

/** An account, or one device of it. */
function parseShowerJid(text: string): string {
  return text.includes('/') ? parseFullJid(text) : parseBareJid(text);
}

function parseShare(agent: Agent, body: unknown): ShareRequest {
  const { peers } = agent.parts;
  return take(body, (fields) => {
    const names = fields.parseOptional('with', (name) => fields.texts(name, 64, String)).with;
    const { join } = fields.parseOptional('join', (name) => fields.text(name, String));
    return {
      path: fields.text('path', parsePath),
      audience: names === undefined || names.length === 0 ? undefined : readAudience(peers, names),
      grant: fields.parseOptional('grant', (name) => fields.text(name, parseGrant)).grant,
      join: join === undefined ? undefined : parseJoined(agent, join),
      isNew: fields.flag('isNew'),
      isFolder: fields.flag('isFolder'),
      branches: fields.parseOptional('branches', (name) => fields.texts(name, 64, String)).branches ?? [],
    };
  });
}

function parseClone(agent: Agent, body: unknown): CloneRequest {
  return take(body, (fields) => ({
    path: fields.text('path', parsePath),
    peer: findPeer(agent.parts.peers, fields.text('peer', String)),
    name: fields.text('repo', parseRepoName),
  }));
}

function parseJoined(agent: Agent, text: string): NonNullable<ShareRequest['join']> {
  const [petname = '', name = ''] = text.split('/', 2);
  return { peer: findPeer(agent.parts.peers, petname), name: parseRepoName(name) };
}

function parseCheckout(fields: Fields): Parameters<Agent['checkOut']>[0] {
  fields.text('workTree', parsePath);
  return { gitDir: fields.text('gitDir', parsePath), to: fields.text('to', parseOid) };
}
