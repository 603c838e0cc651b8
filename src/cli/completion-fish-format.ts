// Completion for fish, made from the table: for git and for git-xmpp. Rule: within git xmpp, files are offered only where the table has them.

import type { CommandSpec, OptionSpec } from './command.ts';
import { brief, offeredFor, shownCommands } from './completion-format.ts';
import type { Offered } from './completion-format.ts';
import { plain } from './help-format.ts';

export function formatFishCompletion(commands: readonly CommandSpec[]): string {
  const rows = shownCommands(commands).flatMap((spec) => rowsOf(spec, commands));
  return `${PROGRAM}
complete -c git -n 'test (count (commandline -opc)) = 1' -a xmpp -d 'Keep repositories in sync over XMPP'
for program in git git-xmpp
    complete -c $program -f -n __git_xmpp_is_here
${rows.map((row) => `    complete -c $program ${row}`).join('\n')}
end
`;
}

function rowsOf(spec: CommandSpec, commands: readonly CommandSpec[]): string[] {
  const { name, summary, arguments: words, options } = spec;
  const valued = options.filter(({ value }) => value !== undefined).map((option) => `--${option.name}`);
  return [
    `-f -n __git_xmpp_is_bare -a ${quote(name)} -d ${quote(plain(summary))}`,
    ...options.map((option) => optionRow(name, option, commands)),
    `-n ${quote(`__git_xmpp_is_in ${name}`)} -s h -l help -d 'how it is used'`,
    ...words.flatMap((word, index) => {
      const condition = ['__git_xmpp_is_at', name, index + 1, ...valued].join(' ');
      const candidates = candidatesOf(offeredFor(word, commands));
      return candidates === '' ? [] : [`-n ${quote(condition)} ${candidates}`];
    }),
  ];
}

function optionRow(command: string, option: OptionSpec, commands: readonly CommandSpec[]): string {
  const { name, value, says } = option;
  const candidates = value === undefined ? '' : candidatesOf(offeredFor(option, commands)) || '-f';
  return [`-n ${quote(`__git_xmpp_is_in ${command}`)} -l ${name}`, ...(value === undefined ? [] : [`-r ${candidates}`]), `-d ${quote(brief(says))}`].join(' ');
}

function candidatesOf(offered: Offered): string {
  switch (offered?.from) {
    case undefined:
      return '';
    case 'words':
      return `-f -a ${quote(offered.words.join(' '))}`;
    case 'agent':
      return `-f -a ${quote(`(__git_xmpp_names ${offered.kind})`)}`;
    case 'files':
      return offered.isFolder ? "-f -a '(__fish_complete_directories)'" : '-F';
  }
}

/** A word of fish that is taken as it is. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const PROGRAM = `# Completion of git xmpp for fish, made by "git xmpp completion fish".

# The words after "git xmpp", before the one at the cursor.
function __git_xmpp_words
    set -l words (commandline -opc)
    set -l program (string replace -r '.*/' '' -- $words[1])
    set -e words[1]
    if test "$program" = git
        test "$words[1]" = xmpp; or return 1
        set -e words[1]
    end
    test (count $words) -gt 0; and printf '%s\\n' $words
    return 0
end

function __git_xmpp_is_here
    __git_xmpp_words >/dev/null
end

function __git_xmpp_is_bare
    set -l words (__git_xmpp_words); or return 1
    test (count $words) -eq 0
end

# command: whether it is the one that is typed.
function __git_xmpp_is_in
    set -l words (__git_xmpp_words); or return 1
    test "$words[1]" = $argv[1]
end

# command, place, options that take a value: whether the next word of that command stands at that place.
function __git_xmpp_is_at
    set -l words (__git_xmpp_words); or return 1
    test "$words[1]" = $argv[1]; or return 1
    set -e words[1]
    set -l place 1
    set -l skips 0
    for word in $words
        if test $skips = 1
            set skips 0
        else if contains -- $word $argv[3..]
            set skips 1
        else if not string match -q -- '-?*' $word
            set place (math $place + 1)
        end
    end
    test $skips = 0 -a $place = $argv[2]
end

function __git_xmpp_names
    git-xmpp names $argv[1] (commandline -ct) 2>/dev/null </dev/null
end
`;
