// Completion for zsh, made from the table: the function _git-xmpp, which zsh's completion of git calls, and git-xmpp's own. Rule: it may be
// sourced, or lie in a folder of fpath.

import { alternatives, plain } from './help-format.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import { brief, offeredFor, quote, shownCommands } from './completion-format.ts';
import type { Offered } from './completion-format.ts';

export function formatZshCompletion(commands: readonly CommandSpec[]): string {
  const shown = shownCommands(commands);
  return [
    '#compdef git-xmpp',
    '#description keep git repositories in sync between machines that cannot reach each other',
    '# Completion of git xmpp for zsh, made by "git xmpp completion zsh".',
    '',
    NAMES,
    '_git-xmpp() {',
    '  if (( CURRENT == 2 )); then',
    '    local -a commands',
    `    commands=(${shown.map(({ name, summary }) => quote(`${name.replaceAll(':', '\\:')}:${plain(summary)}`)).join('\n      ')})`,
    "    _describe -t commands 'git xmpp command' commands",
    '    return',
    '  fi',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $words[1] in',
    ...shown.map((spec) => `    ${spec.name}) _arguments -S ${specsOf(spec, commands).map(quote).join(' \\\n      ')} ;;`),
    '  esac',
    '}',
    '',
    'if [[ $funcstack[1] == _git-xmpp ]]; then _git-xmpp "$@"; else compdef _git-xmpp git-xmpp; fi',
    '',
  ].join('\n');
}

/** For _arguments (zshcompsys(1)). */
function specsOf({ arguments: words, options }: CommandSpec, commands: readonly CommandSpec[]): string[] {
  const flags = alternatives(options).flatMap((each) => each.map((option) => optionSpec(option, each, commands)));
  const places = words.map((word, index) => `${index + 1}${word.isOptional === true ? '::' : ':'}${escape(word.name)}:${actionOf(offeredFor(word, commands))}`);
  return [...flags, '(- *)-h[how it is used]', '(- *)--help[how it is used]', ...places];
}

function optionSpec(option: OptionSpec, instead: readonly OptionSpec[], commands: readonly CommandSpec[]): string {
  const { name, value, says, isRepeated } = option;
  const excludes = isRepeated === true ? '*' : `(${instead.map((each) => `--${each.name}`).join(' ')})`;
  const action = value === undefined ? '' : `:${escape(value)}:${actionOf(offeredFor(option, commands))}`;
  return `${excludes}--${name}[${escape(brief(says))}]${action}`;
}

function actionOf(offered: Offered): string {
  switch (offered?.from) {
    case undefined:
      return ' ';
    case 'words':
      return `(${offered.words.join(' ')})`;
    case 'agent':
      return ` _git-xmpp_names ${offered.kind}`;
    case 'files':
      return offered.isFolder ? '_files -/' : '_files';
  }
}

function escape(text: string): string {
  return text.replaceAll(/[\\:[\]]/g, '\\$&');
}

const NAMES = `_git-xmpp_names() {
  local -a found open
  found=("\${(@f)$(git-xmpp names "$1" "$PREFIX" 2>/dev/null </dev/null)}")
  open=(\${(M)found:#*/})
  found=(\${\${found:#*/}:#})
  (( ! $#open )) || compadd -S '' -a open
  (( ! $#found )) || compadd -a found
}
`;
