// `npm run manual`: writes docs/git-xmpp.1 and docs/ERRORS.md anew, and in docs/API.md what comes from the code. Rule: nothing of that is written by hand;
// test/unit/cli/manual.spec.ts and test/unit/agent/api.spec.ts compare.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from '../src/cli/commands.ts';
import { formatApi } from './api-format.ts';
import { formatErrors, formatManual } from './manual-format.ts';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const { version } = JSON.parse(read('package.json')) as { readonly version: string };
writeFileSync(new URL('docs/git-xmpp.1', root), formatManual({ commands: COMMANDS, prose: read('scripts/manual.roff'), version }));
writeFileSync(new URL('docs/ERRORS.md', root), formatErrors());
const files = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => `src/${file}`);
const sources = new Map(files.map((file) => [file, read(file)]));
writeFileSync(new URL('docs/API.md', root), formatApi(read('docs/API.md'), sources));
