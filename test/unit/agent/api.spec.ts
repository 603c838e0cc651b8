// docs/API.md. Rule: every route, field, type and event that there is stands in it, and none that is not there.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatApi } from '../../../scripts/api-format.ts';
import { isFaultCode } from '../../../src/lib/fault-catalogue.ts';
import { readSources, ROOT } from '../../helpers/source-files.ts';

const page = readFileSync(path.join(ROOT, 'docs/API.md'), 'utf8');
const sources = new Map(readSources('src').map(({ file, text }) => [file, text]));
const agent = [...sources].filter(([file]) => file.startsWith('src/agent/')).map(([, text]) => text);
const routing = [...sources].filter(([file]) => /^src\/agent\/(?:[\w-]*routes|streams)\.ts$/.test(file)).map(([, text]) => text).join('\n');

/** The sections of routes, by `METHOD /path`. */
const sections = new Map([...page.matchAll(/^### `((?:GET|POST) \/[^`]*)`\n([^]*?)(?=^##)/gm)].map(([, route = '', text = '']) => [route, text]));
const types = new Set([...page.matchAll(/^(?:interface|type) (\w+)/gm)].map(([, name]) => name));

function all(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))].sort();
}

describe('docs/API.md', () => {
  it('has the types and statuses of the code (npm run manual)', () => {
    expect(formatApi(page, sources)).toBe(page);
  });

  it('has a section for each route, and for no other', () => {
    const routes = all(agent.join('\n'), /^\s*'((?:GET|POST) \/[\w/-]*)':/gm);
    expect(routes.length).toBeGreaterThan(20);
    expect([...sections.keys()].sort()).toEqual(routes);
  });

  it('names each field of a question, and no other', () => {
    const read = /(?:\b(?:text|flag|texts|count|list|parseOptional)\('|query\.get\('|headers\[')(\w+)'/g;
    const fields = [...sections.values()].flatMap((text) => all(text, /^- `(\w+)\??`/gm));
    expect([...new Set(fields)].sort()).toEqual(all(routing, read));
  });

  it.each([...sections])('says of %s what it answers, which faults there are, and how to ask', (route, text) => {
    const [, place = ''] = route.split(' ');
    const [, example = ''] = /```sh\n([^]*?)```/.exec(text) ?? [];
    expect(example).toContain(`agent ${place.includes('?') ? place : ''}`);
    expect(example).toMatch(new RegExp(`agent ["']?${place}(?=[\\s?"']|$)`));
    const isPost = /--json |-X POST/.test(example);
    expect(isPost).toBe(route.startsWith('POST'));
    const fields = all(text, /^- `(\w+)\??`/gm);
    for (const used of all(example, /\\?"(\w+)\\?":/g)) expect(fields).toContain(used);
    for (const needed of all(text, /^- `(\w+)` (?!in the query)/gm)) if (example.includes('--json')) expect(example).toContain(needed);
    expect(text).toMatch(/[Aa]nswers /);
    for (const name of all(text, /Answers (?:many )?`(\w+)`/g)) expect(types).toContain(name);
    const [, faults = ''] = /Faults: ([^.]*)\./.exec(text) ?? [];
    for (const code of all(faults, /`([a-z-]+)`/g)) expect(isFaultCode(code)).toBe(true);
  });

  it('has every type of answer that a route is declared to give', () => {
    for (const name of all(routing, /Promise<(\w+Answer)>/g)) expect(types).toContain(name);
  });

  it('names each event that is told', () => {
    const [, events = ''] = /\n## Events\n([^]*?)\n## /.exec(page) ?? [];
    const told = all(agent.join('\n'), /(?:emit\(\{ type: |#(?:emit|complain)\(|#tell\()(?:[^,\n]*?\? )?'([a-z-]+)'(?! in )/g);
    const others = all(agent.join('\n'), /(?:emit\(\{ type: |#emit\()[^,\n]*? : '([a-z-]+)'/g);
    const named = all(events, /`([a-z-]+)`/g);
    expect(told.length).toBeGreaterThan(40);
    expect([...told, ...others].filter((type) => !named.includes(type))).toEqual([]);
  });
});

/** A person's own git, at the person's own terminal, is the command's to run; a pure format does nothing. */
function isOfTheAgent(file: string): boolean {
  return /^src\/(?:agent|git|xmpp|link|carriers|pipe|sync|pairing)\//.test(file) && file !== 'src/git/person.ts' && !file.endsWith('-format.ts');
}

describe('the commands', () => {
  it('ask for everything at the door: they hold nothing that does the work of the agent', () => {
    const offences = readSources('src')
      .filter(({ file }) => file.startsWith('src/cli/'))
      .flatMap(({ file, imports }) => imports.filter(({ file: to, isType }) => !isType && isOfTheAgent(to ?? '')).map(({ from }) => `${file} imports ${from}`));
    expect(offences).toEqual([]);
  });
});
