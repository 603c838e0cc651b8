// Holds the source to the rules of the house. Rule: every check is also shown a bad file, so that none can pass by finding nothing.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as house from '../helpers/architecture.ts';
import { listFiles, parseSource, readSources, ROOT } from '../helpers/source-files.ts';
import type { SourceFile } from '../helpers/source-files.ts';

const sources = [...readSources('src'), ...readSources('git-shell-shim')];

type Check = (source: SourceFile, all: readonly SourceFile[]) => string[];

/** Every complaint that a check has about the project. */
function complaints(check: Check): string[] {
  return sources.flatMap((source) => check(source, sources));
}

/** Every complaint about one invented file. */
function about(check: Check, file: string, text: string): string[] {
  const source = parseSource(file, text);
  return check(source, [source, ...sources]);
}

describe('the rungs', () => {
  it('have a place for every folder of src', () => {
    const folders = new Set(sources.filter(({ file }) => file.startsWith('src/')).map(({ file }) => file.split('/')[1]));
    expect([...folders].filter((folder) => !Object.hasOwn(house.RUNGS, folder ?? ''))).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it('import their own folder and lower rungs only', () => {
    expect(complaints(house.importsUpward)).toEqual([]);
  });

  it.each([
    ['src/pipe/x.ts', `import { a } from '../agent/a.ts';`],
    ['src/pipe/x.ts', `import {\n  a,\n} from '../sync/a.ts';`],
    ['src/home/x.ts', `import type { A } from '../git/a.ts';`],
    ['src/home/x.ts', `export * from '../git/a.ts';`],
    ['src/home/x.ts', `const a = await import('../git/a.ts');`],
    ['src/lib/x.ts', `import '../../test/a.ts';`],
    ['git-shell-shim/x.ts', `import { a } from '../src/link/a.ts';`],
  ])('are broken by %s with %s', (file, text) => {
    expect(about(house.importsUpward, file, text)).toHaveLength(1);
  });

  it('are not broken by a lower rung, the own folder or a comment', () => {
    const text = `import { a } from '../lib/a.ts';\nimport { b } from './b.ts';\n// import { c } from '../agent/c.ts';`;
    expect(about(house.importsUpward, 'src/link/x.ts', text)).toEqual([]);
  });
});

describe('pure files', () => {
  it('do no IO, read no clock and draw no randomness', () => {
    expect(complaints(house.isImpure)).toEqual([]);
  });

  it.each([
    `import fs from 'node:fs';`,
    `import { execa } from 'execa';`,
    `import { randomBytes } from 'node:crypto';`,
    `import { delay } from '../lib/clock.ts';`,
    `const now = Date.now();`,
    `const now = new Date();`,
    `setTimeout(() => undefined, 1);`,
    `const draw = Math.random;`,
    `console.log('x');`,
    `const at = process.env.HOME;`,
    `import { Config } from './config.ts';`,
  ])('are not pure with %s', (text) => {
    expect(about(house.isImpure, 'src/home/x-format.ts', text)).toHaveLength(1);
  });

  it('may hash, take types from anywhere and use other pure files', () => {
    const text = `import { createHash } from 'node:crypto';\nimport type { Clock } from '../lib/clock.ts';\nimport { utf8 } from '../lib/bytes.ts';`;
    expect(about(house.isImpure, 'src/pairing/x.ts', text)).toEqual([]);
  });
});

describe('every source file', () => {
  it('takes time through Clock', () => {
    expect(complaints(house.readsClock)).toEqual([]);
    expect(about(house.readsClock, 'src/link/x.ts', 'const now = Date.now();')).toHaveLength(1);
  });

  it('is at most 250 lines long', () => {
    expect(complaints(house.isTooLong)).toEqual([]);
    expect(about(house.isTooLong, 'src/link/x.ts', 'x\n'.repeat(251))).toHaveLength(1);
    expect(about(house.isTooLong, 'src/link/x.ts', 'x\n'.repeat(250))).toEqual([]);
  });

  it('opens by saying what it is and which rule it keeps', () => {
    expect(complaints(house.opensWithoutRule)).toEqual([]);
    expect(about(house.opensWithoutRule, 'src/link/x.ts', `// What it is.\nconst a = 1;\n// Rule: too late.\n`)).toHaveLength(1);
    expect(about(house.opensWithoutRule, 'src/link/x.ts', `// What it is.\n// Rule: one.\nconst a = 1;\n`)).toEqual([]);
  });

  it('leaves @xmpp to src/xmpp', () => {
    expect(complaints(house.touchesXmpp)).toEqual([]);
    expect(sources.some(({ imports }) => imports.some(({ from }) => from.startsWith('@xmpp/')))).toBe(true);
    expect(about(house.touchesXmpp, 'src/link/x.ts', `import { client } from '@xmpp/client';`)).toHaveLength(1);
  });

  it('leaves the starting of git to src/git', () => {
    expect(complaints(house.startsGit)).toEqual([]);
    expect(sources.some(({ imports }) => imports.some(({ from }) => from === 'execa'))).toBe(true);
    expect(about(house.startsGit, 'src/home/x.ts', `import { execa } from 'execa';`)).toHaveLength(1);
    expect(about(house.startsGit, 'src/home/x.ts', `spawn('git', ['config']);`)).toHaveLength(1);
  });

  it('keeps nothing that changes outside of objects, so that a process may hold several agents', () => {
    expect(complaints(house.keepsState)).toEqual([]);
    for (const text of ['let count = 0;', 'export let last: string;', 'const seen = new Map<string, number>();', 'const all: string[] = [];', 'const known = {};', 'const all = new WeakMap();', 'const queue = new Serial();']) {
      expect(about(house.keepsState, 'src/link/x.ts', text), text).toHaveLength(1);
    }
    const tables = `const WORDS = ['a', 'b'] as const;\nconst NAMES = new Set(['a']);\nconst NONE: readonly string[] = [];\nconst CLOSED = new Fault('tls', 'x');\nfunction f() {\n  let count = 0;\n}`;
    expect(about(house.keepsState, 'src/link/x.ts', tables)).toEqual([]);
    for (const each of house.STATE_BY_MODULE.keys()) expect(sources.some(({ file, code }) => each.startsWith(`${file} `) && code.includes(`const ${each.split(' ')[1]}`)), each).toBe(true);
  });

  it('has no default export', () => {
    expect(complaints(house.exportsDefault)).toEqual([]);
    expect(about(house.exportsDefault, 'src/home/x.ts', `export default class {}`)).toHaveLength(1);
  });
});

describe('every spec file', () => {
  it('is collected by exactly one vitest project', () => {
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
    // With the long run's files, too.
    const env = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'))), XMPP_PROFILES: 'all' };
    const listed = execFileSync(process.execPath, [vitest, 'list', '--filesOnly', '--config', 'test/vitest.config.ts'], { cwd: ROOT, env, encoding: 'utf8' });
    const collected = [...listed.matchAll(/^\[[^\]]+\] (\S+)$/gm)].map(([, file]) => file);
    expect(new Set(collected).size).toBe(collected.length);
    expect(new Set(collected)).toEqual(new Set(listFiles('test', '.spec.ts')));
    expect(listFiles('test', '.test.ts')).toEqual([]);
  });
});

describe('no spec', () => {
  const SWITCHED_OFF = /^\s*(?:describe|it|test)(?:\.\w+)*\.(?:skip|only|todo|fails)\b/m;

  it('is switched off or runs alone', () => {
    const files = listFiles('test', '.spec.ts');
    expect(files.filter((file) => SWITCHED_OFF.test(readFileSync(path.join(ROOT, file), 'utf8')))).toEqual([]);
    expect(SWITCHED_OFF.test("  it.skip('x', () => {});")).toBe(true);
    expect(SWITCHED_OFF.test("describe.runIf(true)('x', () => {});")).toBe(false);
  });
});

describe('the walk of docs/ARCHITECTURE.md', () => {
  it('leads through files that exist, each importing the next where an arrow joins them', () => {
    const doc = path.join(ROOT, 'docs/ARCHITECTURE.md');
    expect(existsSync(doc), 'docs/ARCHITECTURE.md is not written yet').toBe(true);
    const walk = house.parseWalk(readFileSync(doc, 'utf8'));
    expect(walk.files.length).toBeGreaterThan(7);
    expect(walk.steps.length).toBeGreaterThan(3);
    const known = new Map(sources.map((source) => [source.file, source.imports.map(({ file }) => file)]));
    expect(walk.files.filter((file) => !known.has(file))).toEqual([]);
    expect(walk.steps.filter(([from, to]) => known.get(from)?.includes(to) !== true)).toEqual([]);
  });

  it('is read from its own section: paths in order, arrows as steps', () => {
    const text = '# A\nsrc/no/a.ts\n## The walk of one commit\n- `src/a/b.ts` → `src/c/d.ts`\n- `git-shell-shim/e.ts` ends it\n### Back\nsrc/f/g.ts → src/h/i.ts\n## Next\nsrc/no/z.ts\n';
    expect(house.parseWalk(text)).toEqual({
      files: ['src/a/b.ts', 'src/c/d.ts', 'git-shell-shim/e.ts', 'src/f/g.ts', 'src/h/i.ts'],
      steps: [
        ['src/a/b.ts', 'src/c/d.ts'],
        ['src/f/g.ts', 'src/h/i.ts'],
      ],
    });
  });
});
