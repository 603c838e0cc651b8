// How `git xmpp status` looks (docs/git-xmpp.1): account, devices, and each repository by device. Rule: every line says a state, what is not well says
// why and what to type, and no line is wider than the terminal.

import type { StatusAnswer } from '../agent/answers.ts';
import type { BranchStatus } from '../agent/branch-status.ts';
import type { HubStatus } from '../agent/hub-status.ts';
import type { PeerStatus, RepoPeerStatus } from '../agent/status.ts';
import type { Trouble } from '../agent/troubles.ts';
import type { CommitLine } from '../git/commit-list.ts';
import type { FaultRecord } from '../lib/errors.ts';
import { remedyOf } from '../lib/errors.ts';
import { clean } from '../lib/steering.ts';
import { cellsOf, columns, pad, wrap } from './cells-format.ts';
import type { Piece, Row, Style } from './cells-format.ts';
import { movingLine, verbOf } from './moving-format.ts';
import type { Look } from './moving-format.ts';
import { count, formatBytes, formatTime } from './text-format.ts';
import { describeAccount, describeObstacles, describeWay, presence } from './words-format.ts';

/** What the look of a status depends on beside the answer. */
export interface StatusLook extends Look {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The person's home folder: paths within are written `~/…`. */
  readonly homeDir: string;
}

type Repo = StatusAnswer['repos'][number];

/** Cells of the labels on the left. */
const LABEL = 9;
/** What two devices say to each other beside what they move, in bytes a second. */
const CHATTER = 2_000;
/** Below a repository. */
const [DEVICE, ABOUT] = [2, 4];

/** The whole status as lines. */
export function formatStatus(answer: StatusAnswer, look: StatusLook): Row[] {
  return [
    ...accountRows(answer, look),
    ...peerRows(answer, look),
    ...answer.repos.flatMap((repo) => repoRows(repo, answer, look)),
    ...answer.notes.flatMap((note) => labelled('note', [{ text: note, style: 'wait' }], look)),
  ];
}

function accountRows({ account, pause }: StatusAnswer, look: StatusLook): Row[] {
  const { jid, fault, state, name, fingerprint } = account;
  const words: Piece = { text: describeAccount(account), ...(state === 'online' ? {} : { style: fault === undefined ? 'wait' : 'bad' }) };
  return [
    ...labelled('account', jid === undefined ? [{ text: 'none', style: 'wait' }] : [{ text: `${jid}  ` }, words], look),
    ...(fault === undefined ? [] : remedyRows(remedyOf(fault), LABEL, look)),
    ...(pause === undefined ? [] : labelled('pause', [{ text: `everything is ${pause.words}`, style: 'wait' }, { text: '; to go on: git xmpp resume' }], look)),
    ...labelled('device', [{ text: `${name}  ` }, { text: fingerprint, style: 'faint' }], look),
  ];
}

function peerRows({ account, peers, repos }: StatusAnswer, look: StatusLook): Row[] {
  const cells = columns(peers.map((peer) => [peer.petname, presence(peer, look.now), peer.jid === account.jid ? '' : peer.jid]));
  return peers.flatMap((peer, index) => {
    const [name = '', state = '', jid = ''] = cells[index] ?? [];
    const words: Piece[] = [{ text: name }, { text: state, ...(peer.isOnline ? {} : { style: 'faint' as const }) }, { text: jid, style: 'faint' }];
    const obstacles = peer.isOnline ? describeObstacles(peer.links) : [];
    const why = obstacles.flatMap((text) => below([{ text, style: 'wait' }], LABEL + 2, look));
    return [...labelled('peer', words, look), ...rateRows(peer, repos, look), ...why, ...troubleRows(peer.error, LABEL + 2, look)];
  });
}

/** What moves beside the transfers that are shown with their repositories. */
function rateRows({ petname, links }: PeerStatus, repos: readonly Repo[], look: StatusLook): Row[] {
  const isShown = repos.some(({ peers }) => peers.some((each) => each.peer === petname && each.moving.length > 0));
  const up = links.reduce((sum, link) => sum + link.up, 0);
  const down = links.reduce((sum, link) => sum + link.down, 0);
  const rates = [...(up > CHATTER ? [`${formatBytes(up)}/s up`] : []), ...(down > CHATTER ? [`${formatBytes(down)}/s down`] : [])];
  return isShown || rates.length === 0 ? [] : below([{ text: rates.join(', ') }], LABEL + 2, look);
}

function repoRows(repo: Repo, answer: StatusAnswer, look: StatusLook): Row[] {
  const { name, path, problem, pause, peers, hubs = [] } = repo;
  const shown = [...peers.map((peer) => peerCells(peer, look)), ...hubs.map((hub) => hubCells(hub, look))];
  const lines = aligned(shown, look);
  return [
    ...labelled('repo', [{ text: `${name}  `, style: 'bold' }, { text: shortPath(path, look.homeDir), style: 'faint' }], look),
    ...(problem === undefined ? [] : problemRows(problem, DEVICE, look)),
    ...(pause === undefined || answer.pause !== undefined ? [] : pauseRows(pause, path, look)),
    ...settingRows(repo, look),
    ...peers.flatMap((peer, index) => [...(lines[index] ?? []), ...aboutPeer(peer, `git xmpp clone ${answer.account.name}/${name}`, look)]),
    ...hubs.flatMap((hub, index) => [...(lines[peers.length + index] ?? []), ...aboutHub(hub, look)]),
  ];
}

/** A program's pause is ended by that program. */
function pauseRows({ words, by }: NonNullable<Repo['pause']>, path: string, look: StatusLook): Row[] {
  const end = by === 'person' ? `; to go on: git xmpp resume --repo ${shortPath(path, look.homeDir)}` : '; the program that holds it ends that';
  return below([{ text: words, style: 'wait' }, { text: end }], DEVICE, look);
}

/** What is not as it is by default, what cannot be used, and what is not committed by itself. */
function settingRows({ autoCommit, policies }: Repo, look: StatusLook): Row[] {
  const auto = autoCommit === undefined ? [] : [`commits by itself${autoCommit.waiting === undefined ? '' : `; waits: ${autoCommit.waiting}`}`];
  const left = autoCommit?.leftOut.map((words) => `not committed: ${words}`) ?? [];
  const set = policies === undefined || policies.words.length === 0 ? [] : [`set: ${policies.words.join(', ')}`];
  const unused = policies?.problems.map((problem) => `not used: ${problem}`) ?? [];
  const row = (text: string, style?: Style): Row[] => below([{ text, ...(style === undefined ? {} : { style }) }], DEVICE, look);
  return [...auto.flatMap((text) => row(text)), ...left.flatMap((text) => row(text, 'wait')), ...set.flatMap((text) => row(text)), ...unused.flatMap((text) => row(text, 'bad'))];
}

/** One device or hub: its name, how it stands, how it is reached. */
interface Cells {
  readonly name: string;
  readonly state: string;
  readonly style: Style | undefined;
  readonly way: string;
}

function peerCells(peer: RepoPeerStatus, look: StatusLook): Cells {
  const { ahead, state, isOnline, carrier, offlineSince } = peer;
  const seen = offlineSince === undefined ? 'offline, never seen' : `offline since ${formatTime(offlineSince, look.now)}`;
  const waits = ahead > 0 ? `, ${count(ahead, 'commit')} ${ahead === 1 ? 'waits' : 'wait'}` : '';
  const way = isOnline ? (carrier === undefined ? 'online' : describeWay(carrier)) : seen + waits;
  return { name: `${peer.peer}:`, state: stateOf(peer), style: state === 'in sync' ? 'good' : 'wait', way };
}

function stateOf({ state, ahead, behind, isShared, moving }: RepoPeerStatus): string {
  if (state === 'diverged') return `diverged (${ahead} here, ${behind} there)`;
  if (state !== 'unknown') return state;
  if (moving.some(({ direction }) => direction === 'down')) return 'receiving';
  return isShared ? 'nothing told yet' : 'not there';
}

function hubCells({ name, mode, state, since, isBusy }: HubStatus, { now }: StatusLook): Cells {
  const parts = [since === undefined ? '' : `since ${formatTime(since, now)}`, mode === 'both' ? '' : `${mode} only`, isBusy ? 'asked now' : ''];
  const style = state === 'in sync' ? 'good' : 'wait';
  return { name: `hub ${name}:`, state, style, way: parts.filter((part) => part !== '').join(', ') };
}

/** In columns where they fit, else each as it comes; how it is reached has a line of its own where there is no room beside. */
function aligned(all: readonly Cells[], look: StatusLook): Row[][] {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => cellsOf(clean(text))));
  const [names, states, ways] = [widest(all.map(({ name }) => name)), widest(all.map(({ state }) => state)), widest(all.map(({ way }) => way))];
  const fits = DEVICE + names + 1 + states + 2 + ways <= look.width;
  const padded = (text: string, cells: number): string => (fits ? pad(clean(text), cells) : text);
  return all.map(({ name, state, style, way }) => {
    const first: Piece[] = [{ text: `${padded(name, names)} ` }, { text: padded(state, states), ...(style === undefined ? {} : { style }) }];
    const told: Piece = { text: way, style: 'faint' };
    const isOneLine = fits || DEVICE + cellsOf(clean(`${name} ${state}  ${way}`)) <= look.width;
    if (isOneLine) return below([...first, { text: '  ' }, told], DEVICE, look);
    return [...below(first, DEVICE, look), ...(way === '' ? [] : below([told], ABOUT, look))];
  });
}

function aboutPeer(peer: RepoPeerStatus, clone: string, look: StatusLook): Row[] {
  const room = { ...look, width: look.width - ABOUT };
  const gone = peer.moving.length > 0 || peer.receiving === undefined ? [] : [{ bytes: peer.receiving.received, total: peer.receiving.total, rate: 0 }];
  const moving = [...peer.moving.map((each) => movingLine(verbOf(each), each, room)), ...gone.map((each) => movingLine('receiving', each, room))];
  return [
    ...moving.map((text): Row => [{ text: ' '.repeat(ABOUT) }, { text }]),
    ...peer.waiting.flatMap((words) => below([{ text: 'waits: ', style: 'wait' }, { text: words }], ABOUT, look)),
    ...(peer.state === 'unknown' && peer.isOnline && !peer.isShared ? below([{ text: `it is not there yet; on ${peer.peer}, type: ${clone}` }], ABOUT, look) : []),
    ...peer.branches.filter(({ here }) => here !== undefined).flatMap((branch) => divergedRows(peer, branch, look)),
    ...troubleRows(peer.error, ABOUT, look),
  ];
}

function aboutHub({ words, waiting }: HubStatus, look: StatusLook): Row[] {
  return [
    ...(words === undefined ? [] : below([{ text: words }], ABOUT, look)),
    ...waiting.flatMap((each) => below([{ text: 'waits: ', style: 'wait' }, { text: each }], ABOUT, look)),
  ];
}

/** Who has what of a branch that has diverged. */
function divergedRows({ peer, waiting }: RepoPeerStatus, { branch, ahead, behind, here = [], there = [], end }: BranchStatus, look: StatusLook): Row[] {
  // What waits says it too.
  const isSaid = waiting.some((words) => words.startsWith(`${branch}: `));
  const side = (number: number, where: string, commits: readonly CommitLine[]): Row[] => [
    ...below([{ text: `${count(number, 'commit')} only ${where}${number > commits.length ? ', the newest:' : ':'}` }], ABOUT + 2, look),
    ...commits.flatMap(({ oid, subject }) => below([{ text: `${oid.slice(0, 7)} `, style: 'faint' }, { text: subject }], ABOUT + 4, look)),
  ];
  return [
    ...below([{ text: `${branch} has diverged:`, style: 'wait' }], ABOUT, look),
    ...side(ahead, 'here', here),
    ...side(behind, `on ${peer}`, there),
    ...(end === undefined || isSaid ? [] : below([{ text: `it ends by: ${end}` }], ABOUT + 2, look)),
  ];
}

function problemRows(problem: FaultRecord, indent: number, look: StatusLook): Row[] {
  return [...below([{ text: problem.message, style: 'bad' }], indent, look), ...remedyRows(remedyOf(problem), indent + 2, look)];
}

function troubleRows(trouble: Trouble | undefined, indent: number, look: StatusLook): Row[] {
  if (trouble === undefined) return [];
  const { at, message, remedy } = trouble;
  const told = below([{ text: `error ${formatTime(at, look.now)}: `, style: 'bad' }, { text: message }], indent, look);
  return remedy === undefined ? told : [...told, ...remedyRows(remedy, indent + 2, look)];
}

function remedyRows(remedy: string, indent: number, look: StatusLook): Row[] {
  return remedy.split('\n').flatMap((line) => below([{ text: line }], indent, look));
}

function labelled(label: string, pieces: readonly Piece[], { width }: StatusLook): Row[] {
  const all: Piece[] = [{ text: label.padEnd(LABEL), style: 'faint' }, ...pieces];
  return wrap(all, { width, indent: 0, hang: LABEL });
}

function below(pieces: readonly Piece[], indent: number, { width }: StatusLook): Row[] {
  return wrap(pieces, { width, indent, hang: indent + 2 });
}

function shortPath(path: string, homeDir: string): string {
  return homeDir !== '' && path.startsWith(`${homeDir}/`) ? `~${path.slice(homeDir.length)}` : path;
}

/** The command that is most likely wanted next. */
export function nextCommand({ account, peers, repos, pause }: StatusAnswer): string {
  if (pause !== undefined) return 'git xmpp resume';
  if (account.state === 'none') return 'git xmpp login you@example.org';
  if (account.fault?.code === 'wrong-password') return `git xmpp login ${account.jid ?? ''}`;
  if (account.state !== 'online') return 'git xmpp doctor  (it tests each step of the way to the server)';
  if (peers.length === 0) return 'git xmpp pair   (and the line it shows, on your other device)';
  if (repos.length === 0) return 'git xmpp share  (in a repository), or git xmpp clone <peer>/<repo>';
  const isWaiting = repos.some((repo) => repo.problem !== undefined || repo.peers.some(({ waiting, state }) => waiting.length > 0 || state === 'diverged'));
  return isWaiting ? 'see what waits above; each says what ends it' : 'nothing; commit, and it is there';
}
