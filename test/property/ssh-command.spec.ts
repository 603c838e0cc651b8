import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseServiceCommand, parseSshArguments, quote, unquote } from '../../git-shell-shim/ssh-command.ts';
import { Fault } from '../../src/lib/errors.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
const nasty = fc.string({ unit: fc.constantFrom("'", '!', '\\', ' ', '$', '`', ';', 'a', '\n', 'é', '"', '*'), maxLength: 30 });

describe('quote', () => {
  it('is undone by unquote', () => {
    fc.assert(
      fc.property(fc.oneof(text, nasty), (word) => {
        expect(unquote(quote(word))).toBe(word);
      }),
      { numRuns: 500 },
    );
  });

  it('makes one word for a shell, which has nothing to expand in it', () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 5 }), (words) => {
        const out = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quote).join(' ')}`], { encoding: 'utf8' });
        expect(out.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 40 },
    );
  });
});

describe('unquote', () => {
  it('takes nothing that a shell would read as more than one plain word', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, nasty.map((word) => `'${word}'`)), (word) => {
        const plain = unquote(word);
        if (plain === undefined) return;
        expect(execFileSync('sh', ['-c', `printf '%s\\0' ${word}`], { encoding: 'utf8' })).toBe(`${plain}\0`);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseServiceCommand', () => {
  it('reads back every command that git makes', () => {
    const service = fc.constantFrom('git-upload-pack', 'git-receive-pack');
    fc.assert(
      fc.property(service, fc.oneof(text, nasty.filter((word) => word !== '')), (name, path) => {
        expect(parseServiceCommand(`${name} ${quote(path)}`)).toEqual({ service: name, path });
      }),
      { numRuns: 300 },
    );
  });

  it('answers any text with a served command or a fault', () => {
    fc.assert(
      fc.property(fc.oneof(text, nasty), (command) => {
        try {
          expect(['git-upload-pack', 'git-receive-pack']).toContain(parseServiceCommand(command).service);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseSshArguments', () => {
  it('finds host and command behind whatever options git or a person puts before them', () => {
    const option = fc.constantFrom(
      ['-4'], ['-p', '22'], ['-p22'], ['-o', 'SendEnv=GIT_PROTOCOL'], ['-tt'], ['-vi', 'key'], ['-oBatchMode=yes'], ['-l', 'ann'],
    );
    const command = text.filter((word) => !word.startsWith('-'));
    const host = fc.constantFrom('laptop', 'ann@laptop', 'a@b@laptop');
    fc.assert(
      fc.property(fc.array(option, { maxLength: 6 }), host, fc.option(command), (options, to, command) => {
        const parsed = parseSshArguments([...options.flat(), to, ...(command === null ? [] : [command])]);
        expect(parsed).toMatchObject({ host: 'laptop', command: command ?? undefined, isProbe: false });
        expect(parsed?.isSendingProtocol).toBe(options.some((words) => words[1] === 'SendEnv=GIT_PROTOCOL'));
      }),
      { numRuns: 300 },
    );
  });

  it('answers any arguments without an error', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(text, fc.constantFrom('-', '--', '-o', '-G', '-pG', '-é')), { maxLength: 6 }), (args) => {
        const parsed = parseSshArguments(args);
        if (parsed !== undefined) expect(typeof parsed.host).toBe('string');
      }),
      { numRuns: 500 },
    );
  });
});
