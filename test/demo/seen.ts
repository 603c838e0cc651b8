// All that the server sees: one real stanza, and the whole log of them searched for names. Rule: what is shown was captured by the
// server itself in this run; only its base64 is shortened, and that says so.

import { check } from './act.ts';
import type { Act } from './act.ts';
import { contentOf } from './clone.ts';
import { SENT } from './commits.ts';
import { SIDE_BRANCH, TAGS } from './repository.ts';
import { COLUMNS, formatSize } from './screen.ts';

const INDENT = 4;
const SHOWN = 56;
/** Shorter ones would be found by chance in so much base64. */
const MIN_NAME = 8;

export const seen: Act = {
  name: 'All that your server sees',
  expects: 'no stanza names a file, branch, message or id, in base64 neither',
  async play({ server, desktop, copy }, screen) {
    const log = server.stanzaLog();
    const stanza = log.split('\n').map((line) => line.split('\t')[2] ?? '').find((xml) => xml.length > 4000 && xml.includes('<data'));
    check(stanza !== undefined, 'no block of data is in the log');
    for (const line of layOut(stanza ?? '')) screen.tell(line);
    const { files, messages } = contentOf();
    const tips = (await desktop.git(copy, 'rev-list', '--all')).split('\n');
    const names = [...files, ...messages, ...SENT, ...TAGS, SIDE_BRANCH, ...tips].filter(({ length }) => length >= MIN_NAME);
    const found = names.filter((name) => spellings(name).some((text) => log.includes(text)));
    check(names.length > 20 && found.length === 0, `the log holds ${found.join(', ')}`);
    return { words: `${formatSize(log.length)} of stanzas hold none of ${names.length} names, messages and ids`, rows: [] };
  },
};

/** As it is, and as base64 would show it wherever in a block it begins. */
function spellings(name: string): string[] {
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(name)]).toString('base64').replaceAll('=', '');
    // The first and last characters hang on what stands beside the name.
    return text.slice(Math.ceil((shift * 4) / 3), -1);
  });
  return [name, ...shifted];
}

/** A data stanza in lines, its base64 cut. */
export function layOut(xml: string): string[] {
  const [, iq = '', data = '', text = ''] = /^(<iq [^>]*>)\s*(<data [^>]*>)([^<]*)<\/data>\s*<\/iq>$/.exec(xml) ?? [];
  check(iq !== '' && text !== '', `a block of another form: ${xml.slice(0, 200)}`);
  return [...wrap(iq, 0), ...wrap(data, 2), `    ${text.slice(0, SHOWN)}`, `    … ${text.length} characters of base64 in all`, '  </data>', '</iq>'];
}

/** A start tag, broken before attributes. */
function wrap(tag: string, indent: number): string[] {
  const width = COLUMNS - INDENT - 9 - indent;
  const lines = [''];
  for (const part of tag.split(/ (?=[\w:]+=)/)) {
    const last = lines.at(-1) ?? '';
    if (last === '') lines[lines.length - 1] = part;
    else if (last.length + part.length < width) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(`    ${part}`);
  }
  return lines.map((line) => ' '.repeat(indent) + line);
}
