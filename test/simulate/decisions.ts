// What decides in a simulation: the very modules that the agent runs. Rule: nothing is decided here again; a simulated device takes each of
// these from the world it lives in, so that a spoilt copy can be put in its place.

import { Engine } from '../../src/sync/engine.ts';
import { HubMachine } from '../../src/sync/hub-machine.ts';
import { decideJoin, isRival, joinCandidates } from '../../src/sync/join.ts';
import { formatLeft, isHeld, isLeft, mergeLeft, noteMove, parseLeft } from '../../src/sync/left-format.ts';
import { planBranch } from '../../src/sync/plan.ts';

/** Every decision of the sync engine. */
export interface Decisions {
  readonly Engine: typeof Engine;
  readonly HubMachine: typeof HubMachine;
  readonly planBranch: typeof planBranch;
  readonly joinCandidates: typeof joinCandidates;
  readonly decideJoin: typeof decideJoin;
  readonly isRival: typeof isRival;
  readonly isLeft: typeof isLeft;
  readonly isHeld: typeof isHeld;
  readonly mergeLeft: typeof mergeLeft;
  readonly noteMove: typeof noteMove;
  readonly formatLeft: typeof formatLeft;
  readonly parseLeft: typeof parseLeft;
}

export const DECISIONS: Decisions = { Engine, HubMachine, planBranch, joinCandidates, decideJoin, isRival, isLeft, isHeld, mergeLeft, noteMove, formatLeft, parseLeft };
