// What the agent tells of itself, its repositories and its peers, as lines of the doctor's (docs/git-xmpp.1). Rule: a peer that is off is no fault of anything
// here; whatever keeps this device from the others is.

import type { FaultRecord } from '../lib/errors.ts';
import { broken } from './doctor-format.ts';
import type { Check } from './doctor-format.ts';
import type { DoctorLine } from './doctor-routes.ts';

type Line<Type extends DoctorLine['type']> = Extract<DoctorLine, { readonly type: Type }>;

/**
 * @param own version of the command that asks
 * @param isChainBroken whether the way to the server was found broken: then the agent's being off is what follows, and no fault of its own
 */
export function judgeAgent({ version, pid, account }: Line<'agent'>, own: string, isChainBroken: boolean): Check {
  const facts = { version, pid, state: account.state };
  const runs = `runs as process ${pid}, version ${version}`;
  if (version !== own) {
    const words = `${runs}, and this command is version ${own}`;
    return { id: 'agent', state: 'warn', code: 'agent', words, remedy: 'git xmpp daemon stop; the next command starts the new one', facts };
  }
  if (account.state === 'online') return { id: 'agent', state: 'ok', words: `${runs}, online as ${account.address ?? account.jid ?? ''}`, facts };
  if (account.state === 'none') return { id: 'agent', state: 'ok', words: `${runs}, with no account`, facts };
  if (account.state === 'connecting') return { id: 'agent', state: 'warn', code: 'not-connected', words: `${runs}, still signing in`, remedy: 'ask again in a moment', facts };
  const { fault, retryInMs } = account;
  if (account.state === 'paused') {
    return { id: 'agent', state: 'warn', code: 'paused', words: `${runs}, and ${fault?.message ?? 'it is paused'}`, remedy: fault?.remedy ?? 'git xmpp resume', facts };
  }
  const again = retryInMs === undefined ? '' : `; next try in ${Math.ceil(retryInMs / 1000)} s`;
  const check = broken('agent', { code: fault?.code ?? 'not-connected', message: `${runs}, ${account.state}: ${fault?.message ?? ''}${again}`, remedy: fault?.remedy }, { facts });
  return isChainBroken ? { ...check, state: 'warn' } : check;
}

export function judgeRepository({ name, path, problem, unwatched }: Line<'repository'>): Check {
  if (problem?.code === 'paused') return { ...broken('repository', { ...problem, message: `${name}: ${problem.message}` }, { about: name }), state: 'warn' };
  if (problem !== undefined) return broken('repository', { ...problem, message: `${name}: ${problem.message}` }, { about: name });
  if (unwatched !== undefined) {
    const words = `${name}: ${unwatched}; what changes there is found within a minute`;
    return { id: 'repository', about: name, state: 'warn', code: 'watch-limit', words, remedy: 'see "watches" above' };
  }
  return { id: 'repository', about: name, state: 'ok', words: `${name}: ${path} is open and watched` };
}

/** What keeps one peer away, and is its own affair, or wanted. */
const ITS_OWN: readonly string[] = ['peer-offline', 'newer-protocol', 'paused'];

/** Says of this device, not of a peer, that nothing goes through the server. */
const NO_SERVER: readonly string[] = ['not-connected', 'no-network', 'paused'];

/** @param isOnline whether the agent is signed in: without, only those with a connection of their own can answer */
export function judgePeer({ petname, jid, fault, roundTripMs, carrier }: Line<'peer'>, isOnline: boolean): Check {
  const id = { id: 'peer', about: petname } as const;
  if (fault !== undefined && NO_SERVER.includes(fault.code) && !isOnline) return { ...id, state: 'not-tried', words: `${petname}: not tried: the agent is not online` };
  if (fault !== undefined) return judgeAway(petname, fault);
  const way = carrier === undefined ? '' : `, ${carrier.kind}${carrier.addressClass === undefined ? '' : ` (${carrier.addressClass})`}`;
  const noBetter = carrier?.noBetter === undefined ? '' : `; no better way: ${carrier.noBetter}`;
  const facts = { roundTripMs: roundTripMs ?? 0, ...(carrier === undefined ? {} : { carrier: carrier.kind }) };
  return { ...id, state: 'ok', words: `${petname} (${jid}) answers in ${roundTripMs ?? 0} ms${way}${noBetter}`, facts };
}

function judgeAway(petname: string, fault: FaultRecord): Check {
  const check = broken('peer', fault.message.startsWith(petname) ? fault : { ...fault, message: `${petname}: ${fault.message}` }, { about: petname });
  return ITS_OWN.includes(fault.code) ? { ...check, state: 'warn' } : check;
}
