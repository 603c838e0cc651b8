// The table and commander agree. Rule: every example of the help is typed as it stands, and has to be understood.

import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandSpec, Given } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { buildProgram, faultOfUsage, unknownCommand } from '../../../src/cli/program.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { splitWords } from '../../helpers/shell-words.ts';

const shown = COMMANDS.filter(({ isHidden }) => !isHidden);

interface Understood {
  readonly name: string;
  readonly given: Given;
}

/** What the command line understands, without doing it. @throws Fault what the person would read */
async function understand(typed: readonly string[], commands: readonly CommandSpec[] = COMMANDS): Promise<Understood | undefined> {
  let understood: Understood | undefined;
  const act = async (spec: CommandSpec, given: Given): Promise<void> => {
    understood = { name: spec.name, given };
  };
  try {
    await buildProgram({ commands, version: '1', columns: undefined, act }).parseAsync(typed, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? faultOfUsage(error, typed, commands) : error;
  }
  return understood;
}

async function faultOf(...typed: string[]): Promise<Fault> {
  const fault = await understand(typed).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(fault instanceof Fault)) throw new Error(`git xmpp ${typed.join(' ')} was understood`);
  return fault;
}

describe('the table of commands', () => {
  it('names each command, and each of its options, once', () => {
    expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
    for (const { name, options } of COMMANDS) expect(new Set(options.map((each) => each.name)).size, name).toBe(options.length);
  });

  it.each(shown.map((spec) => [spec.name, spec] as const))('says of %s in one line and in full what it does, with an example', (name, spec) => {
    expect(spec.summary).toMatch(/^[^.\n]{5,70}$/);
    expect(spec.description.length).toBeGreaterThan(0);
    expect(spec.examples.length).toBeGreaterThan(0);
    for (const { says } of spec.options) expect(says, name).toMatch(/\.$/);
  });

  it.each(shown.flatMap(({ name, examples }) => examples.map(({ line }) => [line, name] as const)))('is understood as it says: %s', async (line, name) => {
    // Of a longer shell command only this part is for us.
    const [typed = ''] = /git xmpp [^|>)]*/.exec(line) ?? [];
    const words = splitWords(typed.trim()).slice(2);
    await expect(understand(words)).resolves.toMatchObject({ name });
  });

  it('has every optional word after the ones that are needed', () => {
    for (const { name, arguments: words } of COMMANDS) {
      const optional = words.map(({ isOptional }) => isOptional === true);
      expect(optional.lastIndexOf(false), name).toBeLessThan(optional.includes(true) ? optional.indexOf(true) : words.length);
    }
  });
});

describe('the command line', () => {
  it('hands words and options over by their names', async () => {
    await expect(understand(['login', 'a@b', '--password-stdin', '--server', 'h:1'])).resolves.toEqual({
      name: 'login',
      given: { words: ['a@b'], options: { passwordStdin: true, server: 'h:1' } },
    });
    await expect(understand(['share', '--with', 'a', 'b', '--new'])).resolves.toEqual({
      name: 'share',
      given: { words: [undefined], options: { with: ['a', 'b'], new: true } },
    });
  });

  it.each([
    [['statsu'], 'there is no command "statsu"', 'did you mean status? git xmpp help lists them'],
    [['frobnicate'], 'there is no command "frobnicate"', 'git xmpp help lists them'],
    [['status', '--jsno'], "unknown option '--jsno'", 'did you mean --json?\ngit xmpp help status'],
    [['login', '--server'], "option '--server <host:port>' argument missing", 'git xmpp help login'],
    [['rename', 'laptop'], "missing required argument 'name'", 'git xmpp help rename'],
    [['grant', 'laptop', 'notes', 'rule'], '"rule" is none of read, offer, write and none', 'git xmpp help grant'],
    [['share', '--read', '--write'], 'only one of --read, --offer and --write can hold', 'git xmpp help share'],
  ])('says of %j: %s', async (typed, message, remedy) => {
    expect(await faultOf(...typed)).toMatchObject({ code: 'wrong-use', message, remedy, exitCode: 2 });
  });

  it('names the nearest command where help is wanted of one that is not there', () => {
    expect(unknownCommand('statsu', COMMANDS)).toMatchObject({ code: 'wrong-use', remedy: 'did you mean status? git xmpp help lists them' });
    expect(unknownCommand('frobnicate', COMMANDS)).toMatchObject({ code: 'wrong-use', remedy: 'git xmpp help lists them' });
    expect(unknownCommand('push-to-checkout', COMMANDS).message).toBe('there is no command "push-to-checkout"');
  });

  it('has nothing against a question for help', async () => {
    const asked = new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)');
    expect(faultOfUsage(asked, ['status', '--help'], COMMANDS)).toBeUndefined();
  });
});
