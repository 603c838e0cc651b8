// There is one engine: the simulator has none of its own, and the agent runs the same.

import { describe, expect, it } from 'vitest';
import { parseSource, readSources } from '../../helpers/source-files.ts';
import type { SourceFile } from '../../helpers/source-files.ts';
import { DECISIONS } from '../../simulate/decisions.ts';

/** The modules that decide. */
const DECIDING = ['engine', 'plan', 'join', 'left-format', 'hub-machine'].map((name) => `src/sync/${name}.ts`);
const simulator = readSources('test/simulate');

/** Names of decisions that a file declares itself: functions, classes, methods, and variables that hold something else than what was taken from `decisions`. */
function declared({ file, code }: SourceFile): string[] {
  return Object.keys(DECISIONS).filter((name) => {
    const isOwn = new RegExp(`\\b(?:function|class)\\s+${name}\\b|\\b(?:const|let)\\s+${name}\\b|^\\s*(?:readonly\\s+)?#?${name}\\s*(?:\\(.*\\{|=)`, 'm');
    return isOwn.test(code) && !file.endsWith('.spec.ts');
  });
}

describe('the simulator', () => {
  it('takes every decision from the modules of src/sync', () => {
    const source = simulator.find(({ file }) => file === 'test/simulate/decisions.ts');
    const imported = source?.imports.filter(({ isType, file }) => !isType && file?.startsWith('src/sync/') === true) ?? [];
    expect(new Set(imported.map(({ file }) => file))).toEqual(new Set(DECIDING));
    expect(imported.flatMap(({ names }) => names.match(/\w+/g) ?? []).toSorted()).toEqual(Object.keys(DECISIONS).toSorted());
  });

  it('declares none of them again', () => {
    expect(simulator.length).toBeGreaterThan(10);
    expect(simulator.flatMap((source) => declared(source).map((name) => `${source.file}: ${name}`))).toEqual([]);
  });

  it.each(['function decideJoin(a) {}', 'class Engine {}', 'const isLeft = (oid) => false;', 'class A {\n  planBranch(facts) {\n  }\n}'])('would be found out with %s', (text) => {
    expect(declared(parseSource('test/simulate/x.ts', text))).toHaveLength(1);
  });

  it('decides nothing beside: it compares no counters, marks or antichains but to check what came of it', () => {
    const device = simulator.find(({ file }) => file === 'test/simulate/device.ts');
    expect(device?.imports.filter(({ file, isType }) => file?.startsWith('src/sync/') === true && !isType)).toEqual([]);
    for (const name of ['Engine', 'planBranch', 'joinCandidates', 'decideJoin', 'isRival', 'isLeft', 'isHeld', 'mergeLeft', 'noteMove', 'HubMachine']) {
      expect(simulator.some(({ file, code }) => !file.endsWith('decisions.ts') && new RegExp(`\\bdecisions\\.${name}\\b|\\b${name}\\b[^;]*= this\\.\\S*world\\.decisions|\\{ ${name}: \\w+ \\} = `).test(code)), name).toBe(true);
    }
  });
});

describe('the agent', () => {
  it('runs the very same modules', () => {
    const agent = readSources('src/agent');
    for (const module of DECIDING) {
      expect(agent.filter(({ imports }) => imports.some(({ file, isType }) => file === module && !isType)).length, module).toBeGreaterThan(0);
    }
  });
});
