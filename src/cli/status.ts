// `git xmpp`, `git xmpp status`, `events`. Rule: every line says a state, and what is not well says why and what to type.

import type { AutoCommitStatus } from '../agent/auto-commit.ts';
import type { AgentEvent } from '../agent/events.ts';
import type { StatusAnswer } from '../agent/answers.ts';
import type { BranchStatus } from '../agent/branch-status.ts';
import type { HubStatus } from '../agent/hub-status.ts';
import type { RepoPeerStatus, RepoStatus } from '../agent/status.ts';
import { describeState } from './account.ts';
import type { CommitLine } from '../git/commit-list.ts';
import { realClock } from '../lib/clock.ts';
import type { FaultRecord } from '../lib/errors.ts';
import type { Door } from './door.ts';
import type { LinkStats } from '../link/link-stats.ts';
import { formatBytes, formatTime, print, say, table } from './out.ts';
import { describeWay, presence } from './pair.ts';
import { formatAmount } from './progress.ts';

/** Account, peers, repositories, what waits. */
export async function status(door: Door, options: { readonly json?: boolean }): Promise<void> {
  const answer = await door.ask<StatusAnswer>('GET', '/status');
  if (options.json === true) return print(JSON.stringify(answer, null, 2));
  const now = realClock.now();
  print(`account  ${answer.account.jid === undefined ? 'none' : `${answer.account.jid}  ${describeState(answer.account)}`}`);
  print(`device   ${answer.account.name}  ${answer.account.fingerprint}`);
  for (const line of table(answer.peers.map((peer) => ['peer   ', peer.petname, presence(peer, now), peer.jid]))) print(line);
  for (const peer of answer.peers) for (const link of peer.links.filter(isMoving)) print(`           ${peer.petname}: ${describeMove(link)}`);
  for (const repo of answer.repos) {
    print(`repo     ${repo.name}  ${repo.path}`);
    if (repo.problem !== undefined) tellProblem(repo.problem);
    if (repo.autoCommit !== undefined) tellAutoCommit(repo.autoCommit);
    for (const line of policyLines(repo)) print(`           ${line}`);
    for (const peer of repo.peers) tellPeer(peer);
    for (const hub of repo.hubs ?? []) tellHub(hub, now);
  }
  for (const note of answer.notes) print(`note     ${note}`);
}

function isMoving({ up, down }: LinkStats): boolean {
  return up > 0 || down > 0;
}

/** `in-band (server), 310 ms: 7.1 kB/s up`. */
function describeMove(link: LinkStats): string {
  const moving = [link.up > 0 ? `${formatBytes(link.up)}/s up` : '', link.down > 0 ? `${formatBytes(link.down)}/s down` : ''];
  return `${describeWay(link)}: ${moving.filter((each) => each !== '').join(', ')}`;
}

function tellAutoCommit({ waiting, leftOut }: AutoCommitStatus): void {
  print(`           commits by itself${waiting === undefined ? '' : `; waits: ${waiting}`}`);
  for (const words of leftOut) print(`             not committed: ${words}`);
}

function tellProblem({ message, remedy }: FaultRecord): void {
  print(`           ${message}`);
  for (const line of remedy?.split('\n') ?? []) print(`             ${line}`);
}

/** What is not as it is by default, and what cannot be used. */
function policyLines({ policies }: RepoStatus): string[] {
  if (policies === undefined) return [];
  const { words, problems } = policies;
  return [...(words.length === 0 ? [] : [`set: ${words.join(', ')}`]), ...problems.map((problem) => `not used: ${problem}`)];
}

/** Who has what of a branch that has diverged. */
function divergedLines({ peer, waiting }: RepoPeerStatus, { branch, ahead, behind, here = [], there = [], end }: BranchStatus): string[] {
  // What waits says it too.
  const isSaid = waiting.some((words) => words.startsWith(`${branch}: `));
  const side = (count: number, where: string, commits: readonly CommitLine[]): string[] => [
    `  ${count} ${count === 1 ? 'commit' : 'commits'} only ${where}${count > commits.length ? `, the newest:` : ':'}`,
    ...commits.map(({ oid, subject }) => `    ${oid.slice(0, 7)} ${subject}`),
  ];
  return [`${branch} has diverged:`, ...side(ahead, 'here', here), ...side(behind, `on ${peer}`, there), ...(end === undefined || isSaid ? [] : [`  it ends by: ${end}`])];
}

function tellPeer(peer: RepoPeerStatus): void {
  print(`           ${peer.peer}: ${peer.state}${peer.isOnline ? '' : ' (offline)'}`);
  if (peer.receiving !== undefined) print(`             ${formatAmount(peer.receiving)}`);
  for (const words of peer.waiting) print(`             waits: ${words}`);
  for (const branch of peer.branches.filter(({ here }) => here !== undefined)) {
    for (const line of divergedLines(peer, branch)) print(`             ${line}`);
  }
}

function tellHub({ name, mode, state, since, words, waiting }: HubStatus, now: number): void {
  const only = mode === 'both' ? '' : ` (${mode} only)`;
  print(`           hub ${name}: ${state}${since === undefined ? '' : ` since ${formatTime(since, now)}`}${only}`);
  if (words !== undefined) print(`             ${words}`);
  for (const each of waiting) print(`             waits: ${each}`);
}

/** The status, and the next command to type. */
export async function overview(door: Door): Promise<void> {
  await status(door, {});
  const answer = await door.ask<StatusAnswer>('GET', '/status');
  say(`next: ${nextCommand(answer)}`);
}

function nextCommand({ account, peers, repos }: StatusAnswer): string {
  if (account.state === 'none') return 'git xmpp login you@example.org';
  if (peers.length === 0) return 'git xmpp pair   (and the line it shows, on your other device)';
  if (repos.length === 0) return 'git xmpp share  (in a repository), or git xmpp clone <peer>/<repo>';
  return 'nothing; commit, and it is there';
}

/** What happened lately; with `follow`, what happens from now on as well. */
export async function events(door: Door, options: { readonly json?: boolean; readonly follow?: boolean }): Promise<void> {
  for await (const event of door.lines<AgentEvent>('GET', options.follow === true ? '/events?follow=1' : '/events')) {
    if (options.json === true) print(JSON.stringify(event));
    else print(`${formatTime(event.at, realClock.now())}  ${event.type}  ${event.repo === undefined ? '' : `${event.repo}: `}${event.words}`);
  }
}
