// docs/API.md: its prose stands in the file, its types and its table of faults come from the code. Rule: pure; the text of the sources in, the whole page out.

import { statusOf } from '../src/control/door-format.ts';
import { Fault } from '../src/lib/errors.ts';
import { FAULT_CATALOGUE, isFaultCode } from '../src/lib/fault-catalogue.ts';

/** Text of each source file by its path from the root, such as `src/agent/answers.ts`. */
export type Sources = ReadonlyMap<string, string>;

interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

const MARKS = /<!-- types -->[^]*<!-- \/types -->/;
const TABLE = /(\| Status \| Codes \|\n\|---\|---\|\n)(?:@STATUS@\n|(?:\| .*\n)*)/;
/** Types that answers begin with; what they hold follows from them. */
const ROOT = /^export (?:interface|type) (\w*(?:Answer|Line)|AgentEvent|FaultRecord)\b/gm;
const ROOT_FILES = /^src\/(?:agent\/|control\/remotedaemon-machine|lib\/errors)/;
/** Not what is answered. */
const NO_ROOTS = new Set(['LinesAnswer', 'ShownLine']);

/** The page with the parts that are made. */
export function formatApi(page: string, sources: Sources): string {
  const types = collectTypes(sources).map(({ text }) => ['```ts', text, '```', ''].join('\n')).join('\n');
  return page.replace(MARKS, () => `<!-- types -->\n\n${types}\n<!-- /types -->`).replace(TABLE, (_all, head: string) => head + formatStatuses());
}

/** All types of answers, each after the one that names it first. */
export function collectTypes(sources: Sources): Declaration[] {
  const found = new Map<string, Declaration>();
  const take = (file: string, name: string): void => {
    const declaration = findDeclaration(sources, file, name);
    if (declaration === undefined || found.has(declaration.name)) return;
    found.set(declaration.name, declaration);
    const code = declaration.text.replaceAll(/\/\*\*[^]*?\*\/|'[^'\n]*'/g, '');
    for (const [word] of code.matchAll(/\b[A-Z]\w+\b/g)) take(declaration.file, word);
  };
  for (const [file, text] of [...sources].filter(([path]) => ROOT_FILES.test(path)).sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))) {
    for (const [, name = ''] of text.matchAll(ROOT)) if (!NO_ROOTS.has(name)) take(file, name);
  }
  return [...found.values()];
}

/** The answers that commands share come first. */
function order(file: string): number {
  return file === 'src/agent/answers.ts' ? 0 : 1;
}

/** A declaration of `file`, or one that it imports; undefined for what is no interface or type of plain data, such as a branded text. */
function findDeclaration(sources: Sources, file: string, name: string): Declaration | undefined {
  const source = sources.get(file) ?? '';
  const own = new RegExp(`(?:^|\\n)((?:/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?)(export )?(interface ${name}\\b[^{]*\\{[^]*?\\n\\}|interface ${name}\\b[^{\\n]*\\{\\}|type ${name} =[^]*?;)(?=\\n|$)`).exec(source);
  if (own !== null) return plain({ file, name, text: `${own[1] ?? ''}${own[3] ?? ''}` }, source);
  const from = new RegExp(`import (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(source)?.[1];
  return from === undefined ? undefined : findDeclaration(sources, join(file, from), name);
}

/** As plain TypeScript: a text that was checked is a text, a choice out of a list its words. */
function plain({ file, name, text }: Declaration, source: string): Declaration | undefined {
  if (/keyof typeof/.test(text)) return undefined;
  const words = (list: string): string => new RegExp(`const ${list} = \\[([^\\]]*)\\] as const`).exec(source)?.[1]?.split(',').map((word) => word.trim()).filter((word) => word !== '').join(' | ') ?? 'string';
  const shown = text
    .replaceAll('readonly ', '')
    .replaceAll(' | undefined', '')
    .replaceAll(/string & \{[^}]*\}/g, 'string')
    .replaceAll(/\(typeof (\w+)\)\[number\]/g, (_type, list: string) => words(list));
  return { file, name, text: shown };
}

function join(file: string, to: string): string {
  return new URL(to, `file:///${file}`).pathname.slice(1);
}

function formatStatuses(): string {
  const byStatus = new Map<number, string[]>();
  for (const code of Object.keys(FAULT_CATALOGUE).filter(isFaultCode)) {
    const status = statusOf(new Fault(code, ''));
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].sort(([a], [b]) => a - b).map(([status, codes]) => `| ${status} | ${codes.map((code) => `\`${code}\``).join(', ')} |\n`).join('');
}
