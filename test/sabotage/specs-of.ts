// Which specs look after a file. Rule: its mirror and those of the files beside it that use it; and the property specs that import one of them,
// themselves or by a helper.

import { readSources } from '../helpers/source-files.ts';
import type { SourceFile } from '../helpers/source-files.ts';

const sources = readSources('src');
const units = new Set(readSources('test/unit').map(({ file }) => file));
const properties = readSources('test/property');
const helpers = readSources('test/helpers');

export function specsOf(file: string): string[] {
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const beside = sources.filter((source) => source.file.startsWith(folder));
  const users = new Set([file]);
  for (let size = 0; size !== users.size; ) {
    size = users.size;
    for (const source of beside) if (isImporting(source, users)) users.add(source.file);
  }
  const mirrors = [...users].map((user) => user.replace(/^src\/(.*)\.ts$/, 'test/unit/$1.spec.ts')).filter((spec) => units.has(spec));
  const means = new Set([...users, ...helpers.filter((source) => isImporting(source, users)).map((source) => source.file)]);
  return [...mirrors, ...properties.filter((source) => isImporting(source, means)).map((source) => source.file)];
}

function isImporting({ imports }: SourceFile, files: ReadonlySet<string>): boolean {
  return imports.some((each) => !each.isType && each.file !== undefined && files.has(each.file));
}
