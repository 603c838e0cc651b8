// A support file never holds a secret of the home, wherever it got to: into the log, an event, a setting, a name (docs/git-xmpp.1, `doctor --bundle`).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSettings, Scrubber, withoutCommits } from '../../src/cli/bundle-format.ts';
import { createLog } from '../../src/lib/log.ts';

/** Whatever may be typed as a password, and no part of any word of ours. */
const secret = fc.string({ minLength: 6, maxLength: 40, unit: fc.constantFrom('Q', 'X', 'Z', '§', 'ß', '9', '"', '\\', '/', '%', '+', '=', ' ') }).filter((text) => text.trim().length >= 6);
const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '-', '_', '.', '@', ':', '=', '/', '"', "'") });
const around = fc.tuple(word, word);

/** The forms in which a program may write a text down. */
const FORMS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => encodeURIComponent(text),
  (text) => Buffer.from(text).toString('base64'),
  (text) => `xmpp://romeo:${encodeURIComponent(text)}@example.org`,
  (text) => `password=${text}`,
];

describe('a support file', () => {
  it('holds no secret, however it came into a text', () => {
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), fc.array(around, { minLength: 1, maxLength: 4 }), fc.nat(), fc.boolean(), (secrets, places, form, keepsNames) => {
        const scrubber = new Scrubber({ secrets, names: { peer: places.map(([name]) => name), repo: secrets }, homeDir: '/home/anna', keepsNames });
        const written = FORMS[form % FORMS.length] ?? String;
        const lines: string[] = [];
        const log = createLog((line) => lines.push(line), 'debug', () => 0);
        for (const [index, [before, after]] of places.entries()) {
          const text = `${before}${written(secrets[index % secrets.length] ?? '')}${after}`;
          log.info(text, { said: text, [`field${index}`]: text });
          lines.push(text);
        }
        const content = JSON.stringify({
          log: lines.map((line) => scrubber.logLine(line)),
          status: scrubber.all(withoutCommits({ repos: lines, here: [secrets] })),
          settings: formatSettings(lines.map((line, index) => [['xmpp.direct', 'xmpp.hook.changed', `xmpp.limit.peer.${line}.up`][index % 3] ?? '', line]), (text) => scrubber.text(text)),
        });
        for (const each of secrets) {
          for (const shape of FORMS.slice(0, 4)) {
            const shown = shape(each);
            expect(content).not.toContain(shown);
            expect(content).not.toContain(JSON.stringify(shown).slice(1, -1));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('holds no name that it was told of, and the same word for the same name', () => {
    const name = fc.string({ minLength: 3, maxLength: 12, unit: fc.constantFrom('Q', 'X', 'Z', 'K', 'J', 'V') });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }), (names, order) => {
        const scrubber = new Scrubber({ secrets: [], names: { peer: names }, homeDir: '/home/anna', keepsNames: false });
        const told = order.map((at) => names[at % names.length] ?? '');
        const words = scrubber.text(told.join(' ')).split(' ');
        for (const each of names) expect(words).not.toContain(each);
        expect(new Set(words).size).toBe(new Set(told).size);
        expect(words.every((each) => /^peer-\d+$/.test(each))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
