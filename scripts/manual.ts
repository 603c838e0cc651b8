// `npm run manual`: writes docs/git-xmpp.1 and docs/ERRORS.md anew. Rule: nothing is written by hand in them; test/unit/cli/manual.spec.ts compares.

import { readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from '../src/cli/commands.ts';
import { formatErrors, formatManual } from './manual-format.ts';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const { version } = JSON.parse(read('package.json')) as { readonly version: string };
writeFileSync(new URL('docs/git-xmpp.1', root), formatManual({ commands: COMMANDS, prose: read('scripts/manual.roff'), version }));
writeFileSync(new URL('docs/ERRORS.md', root), formatErrors());
