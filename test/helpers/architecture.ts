// The rules of the house as functions from source files to complaints. Rule: a complaint names the file and what is wrong with it.

import path from 'node:path';
import type { SourceFile } from './source-files.ts';

/** A folder of src and its rung: imports point to lower ones only (docs/ARCHITECTURE.md). */
export const RUNGS: Readonly<Record<string, number>> = {
  lib: 0,
  pipe: 1,
  sync: 1,
  pairing: 1,
  xmpp: 2,
  git: 2,
  home: 2,
  control: 2,
  carriers: 3,
  link: 4,
  agent: 5,
  cli: 6,
};

/** What git itself starts knows the agent's door and the way to it, nothing else. */
const SHIM_MAY_IMPORT = /^(?:git-shell-shim|src\/lib|src\/control)\/|^src\/home\/paths\.ts$/;

const MAX_LINES = 250;
const SIDE_EFFECT_PACKAGES = /^(?:@xmpp\/|execa$|commander$|age-encryption$)/;
const CLOCK = /\bDate\.now\b|\bnew Date\(\s*\)|(?<![\w.])set(?:Timeout|Interval)\s*\(|\bperformance\.|\bhrtime\b/;
const RANDOM = /\bMath\.random\b|\bgetRandomValues\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgenerate(?:KeyPair|KeyPairSync|Key|KeySync)\b/;
/** Of node:crypto only what draws no randomness, see RANDOM. */
const PURE_BUILTINS = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:string_decoder', 'node:util']);
const IO = /\bprocess\.|(?<![\w.])setImmediate\s*\(|\bconsole\.|\bfetch\s*\(/;

/** Whether a file must stand without IO, clock and randomness. */
export function isPure(file: string): boolean {
  const folder = folderOf(file);
  return /-(?:format|machine)\.ts$/.test(file) || (folder !== undefined && RUNGS[folder] === 1);
}

export function importsUpward({ file, imports }: SourceFile): string[] {
  return imports.filter((one) => one.file !== undefined && !mayImport(file, one.file)).map((one) => `${file} imports ${one.file ?? ''}`);
}

function mayImport(from: string, to: string): boolean {
  if (from.startsWith('git-shell-shim/')) return SHIM_MAY_IMPORT.test(to);
  const [own, other] = [folderOf(from), folderOf(to)];
  if (own === undefined || other === undefined) return false;
  const [rung, lower] = [RUNGS[own], RUNGS[other]];
  return rung !== undefined && lower !== undefined && (own === other || lower < rung);
}

/** Looks through what a pure file imports: a neighbour without a pure name will do if it is pure in fact. */
export function isImpure(source: SourceFile, all: readonly SourceFile[]): string[] {
  if (!isPure(source.file)) return [];
  const known = new Map(all.map((one) => [one.file, one]));
  return impurities(source, known, new Set()).map((words) => `${source.file} is to be pure and ${words}`);
}

function impurities(source: SourceFile, known: ReadonlyMap<string, SourceFile>, seen: Set<string>): string[] {
  seen.add(source.file);
  const { code } = source;
  const own = [...(CLOCK.test(code) ? ['reads a clock'] : []), ...(RANDOM.test(code) ? ['draws randomness'] : []), ...(IO.test(code) ? ['does IO'] : [])];
  const imported = source.imports.filter(({ isType }) => !isType).flatMap(({ file, from }) => {
    if (file === undefined) return isPurePackage(from) ? [] : [`imports ${from}`];
    const next = known.get(file);
    if (next === undefined) return [`imports ${file}, which is not there`];
    return seen.has(file) ? [] : impurities(next, known, seen).map((words) => `imports ${file}, which ${words}`);
  });
  return [...own, ...imported];
}

function isPurePackage(name: string): boolean {
  return name.startsWith('node:') ? PURE_BUILTINS.has(name) : !SIDE_EFFECT_PACKAGES.test(name);
}

export function readsClock({ file, code }: SourceFile): string[] {
  // An interval that does nothing reads no time: it only keeps the process alive, which no timer of Clock does.
  const said = code.replace(/\bsetInterval\(\(\) => undefined,/g, '');
  return file !== 'src/lib/clock.ts' && CLOCK.test(said) ? [`${file} reads time and not through Clock`] : [];
}

export function isTooLong({ file, text }: SourceFile): string[] {
  const lines = text.trimEnd().split('\n').length;
  return lines > MAX_LINES ? [`${file} has ${lines} lines`] : [];
}

export function opensWithoutRule({ file, text }: SourceFile): string[] {
  const [opening = ''] = /^(?:(?:#!.*\n)?)((?:\/\/[^\n]*\n)+)/.exec(text) ?? [];
  return /\bRule: ./.test(opening) ? [] : [`${file} does not open with // lines that hold "Rule:"`];
}

export function touchesXmpp({ file, imports }: SourceFile): string[] {
  const isAllowed = file.startsWith('src/xmpp/');
  return isAllowed ? [] : imports.filter(({ from }) => from.startsWith('@xmpp/')).map(({ from }) => `${file} imports ${from}`);
}

export function startsGit({ file, code, imports }: SourceFile): string[] {
  if (file.startsWith('src/git/')) return [];
  const isStarting = /\b(?:spawn|exec|execFile|fork)(?:Sync)?\(\s*['"`]git['"`\s]/.test(code);
  return [
    ...imports.filter(({ from }) => from === 'execa').map(() => `${file} imports execa`),
    ...(isStarting ? [`${file} starts git itself`] : []),
  ];
}

export function exportsDefault({ file, code }: SourceFile): string[] {
  return /^export\s+default\b/m.test(code) ? [`${file} has a default export`] : [];
}

/** What may live in a module all the same, and why. */
export const STATE_BY_MODULE: ReadonlyMap<string, string> = new Map([
  ['src/link/lanes.ts all', 'by HTTP/2 session: what belongs to one link, and goes with it'],
  ['src/link/bulk-gate.ts gates', 'by HTTP/2 session, as well'],
  ['src/cli/progress.ts waits', 'of a command, which is a process of its own'],
]);

/** Classes whose instances never change. */
const UNCHANGING = /^(?:Fault|RegExp|Uint8Array|TextEncoder|TextDecoder|URL|Intl\.\w+)$/;

/** State that outlives every object: two agents in one process would share it. A table that is filled where it is made, and typed so that nobody adds to it, is none. */
export function keepsState({ file, code }: SourceFile): string[] {
  const variables = [...code.matchAll(/^(?:export )?(?:let|var) (\w+)/gm)];
  const constants = [...code.matchAll(/^(?:export )?const (\w+)(?:: ([^=\n]+?))? = (?:new ([\w.]+)(?:<[^\n]*?>)?\((\)?)|(\[\]|\{\}))/gm)].filter(([, , type = '', made = '', isBare, empty]) => {
    if (empty !== undefined) return !/\breadonly\b|Readonly/.test(type);
    if (!/^(?:Map|Set)$/.test(made)) return !UNCHANGING.test(made);
    // Empty for good only by a type that nobody can add through.
    return isBare === ')' && (type === '' || /^(?:Map|Set)</.test(type));
  });
  return [...variables, ...constants].map(([, name = '']) => `${file} ${name}`).filter((each) => !STATE_BY_MODULE.has(each));
}

export interface Walk {
  readonly files: readonly string[];
  /** Pairs that the list joins by an arrow. */
  readonly steps: readonly (readonly [from: string, to: string])[];
}

/** The section "The walk": paths from the root of the project, in order; `→` between two says that the first imports the second. */
export function parseWalk(markdown: string): Walk {
  const [, hashes = '', rest = ''] = /^(#+) The walk\b[^\n]*\n([^]*)/m.exec(markdown) ?? [];
  const [section = ''] = hashes === '' ? [] : rest.split(new RegExp(`^#{1,${hashes.length}} `, 'm'));
  const parts = section.split(/((?:src|git-shell-shim)\/[\w./-]+\.ts)/);
  const files = parts.filter((_part, index) => index % 2 === 1);
  const steps = files.slice(1).flatMap((to, index) => {
    const from = files[index];
    return from !== undefined && parts[index * 2 + 2]?.includes('→') === true ? [[from, to] as const] : [];
  });
  return { files, steps };
}

function folderOf(file: string): string | undefined {
  const [top, folder, ...more] = path.posix.normalize(file).split('/');
  return top === 'src' && more.length > 0 ? folder : undefined;
}
