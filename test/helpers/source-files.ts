// The project's own source as data, for specs about its structure. Rule: reads text only; nothing that is looked at is run.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Import {
  /** What stands in the quotes. */
  readonly from: string;
  /** The imported file, from the root of the project, if it is one of ours. */
  readonly file: string | undefined;
  /** `import type`: gone at run time. */
  readonly isType: boolean;
  /** What stands between `import` and `from`. */
  readonly names: string;
}

export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly file: string;
  readonly text: string;
  /** The text without comments; what stands in quotes is left. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export const ROOT = path.join(import.meta.dirname, '../..');

/** All files below `folder` whose name ends so. */
export function listFiles(folder: string, ending: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

export function readSources(folder: string): SourceFile[] {
  return listFiles(folder, '.ts').map((file) => parseSource(file, readFileSync(path.join(ROOT, file), 'utf8')));
}

/** A file's imports: static, re-exported and dynamic ones. */
export function parseSource(file: string, text: string): SourceFile {
  const code = stripComments(text);
  const fixed = [...code.matchAll(/^[ \t]*(?:import|export)\s+(type\s)?([\w\s{},*$]*?)\s*\bfrom\s*['"]([^'"]+)['"]/gm)].map(([, type, names, from]) => ({
    isType: type !== undefined,
    names: names ?? '',
    from: from ?? '',
  }));
  const bare = [...code.matchAll(/^[ \t]*import\s*['"]([^'"]+)['"]/gm)].map(([, from]) => ({ isType: false, names: '', from: from ?? '' }));
  const dynamic = [...code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)].map(([, from]) => ({ isType: false, names: '*', from: from ?? '' }));
  const imports = [...fixed, ...bare, ...dynamic].map((found) => ({
    ...found,
    file: found.from.startsWith('.') ? path.posix.join(path.posix.dirname(file), found.from) : undefined,
  }));
  return { file, text, code, imports };
}

/** Comments become spaces; quoted text and templates are stepped over. A `/` that begins a regular expression is taken for one before `/` or `*`. */
function stripComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(token, (found) => (/^\/[/*]/.test(found) ? found.replace(/[^\n]/g, ' ') : found));
}
