// Completion for bash, made from the table: for git's own completion, which calls _git_xmpp, and for git-xmpp. Rule: names from other devices are
// compared and quoted, never expanded; it works in bash 3.2, which macOS has.

import type { CommandSpec } from './command.ts';
import { offeredFor, quote, shownCommands } from './completion-format.ts';
import type { Offered } from './completion-format.ts';

export function formatBashCompletion(commands: readonly CommandSpec[]): string {
  const shown = shownCommands(commands);
  const branches = shown.map((spec) => formatBranch(spec, commands)).join('\n');
  return PROGRAM.replace('@COMMANDS@', () => shown.map(({ name }) => name).join(' ')).replace('@BRANCHES@', () => branches);
}

function formatBranch({ name, arguments: words, options }: CommandSpec, commands: readonly CommandSpec[]): string {
  const flags = [...options.map((option) => `--${option.name}`), '--help'].join(' ');
  const valued = options.filter(({ value }) => value !== undefined);
  const values = valued.map((option) => `${quote(`--${option.name}`)}) kind=${quote(kindOf(offeredFor(option, commands)))} ;;`);
  const places = words.map((word, place) => `${place}) kind=${quote(kindOf(offeredFor(word, commands)))} ;;`);
  const caseOf = (subject: string, rows: readonly string[]): string => (rows.length === 0 ? ':' : `case ${subject} in ${rows.join(' ')} esac`);
  return [
    `    ${name})`,
    `      flags=${quote(flags)} valued=${quote(valued.map((option) => `--${option.name}`).join(' '))}`,
    `      repeated=${quote(valued.filter(({ isRepeated }) => isRepeated).map((option) => `--${option.name}`).join(' '))}`,
    '      __git_xmpp_place "$@"',
    `      if [[ -n $holder ]]; then ${caseOf('$holder', values)}; else ${caseOf('$place', places)}; fi ;;`,
  ].join('\n');
}

function kindOf(offered: Offered): string {
  switch (offered?.from) {
    case undefined:
      return '';
    case 'words':
      return `words ${offered.words.join(' ')}`;
    case 'agent':
      return `agent ${offered.kind}`;
    case 'files':
      return offered.isFolder ? 'folders' : 'files';
  }
}

const PROGRAM = `# Completion of git xmpp for bash, made by "git xmpp completion bash".

# Takes each word of standard input that begins as "$cur" does.
__git_xmpp_take() {
  local word quoted
  while IFS= read -r word; do
    [[ -n $word && $word == "$cur"* ]] || continue
    printf -v quoted '%q' "$word"
    COMPREPLY+=("$quoted")
    [[ $word != */ ]] || compopt -o nospace 2>/dev/null
  done
}

# Which place the next word has, or which option it is a value of.
__git_xmpp_place() {
  local word needs=
  shift
  place=0 holder=
  for word; do
    if [[ -n $needs ]]; then
      needs=
      [[ " $repeated " == *" $holder "* ]] || holder=
    elif [[ $word == -?* ]]; then
      holder=
      [[ " $valued " != *" $word "* ]] || { holder=$word; needs=1; }
    elif [[ -z $holder ]]; then
      place=$((place + 1))
    fi
  done
}

# The words after "git xmpp", up to the one at the cursor, which is $cur.
__git_xmpp_offer() {
  local flags= valued= repeated= kind= holder= place=0
  case \${1-} in
    '') kind='words @COMMANDS@' ;;
@BRANCHES@
  esac
  [[ -n $holder || $cur != -* ]] || kind="words $flags"
  compopt +o nospace 2>/dev/null
  case $kind in
    words\\ *) __git_xmpp_take < <(printf '%s\\n' \${kind#words }) ;;
    agent\\ *) __git_xmpp_take < <(git-xmpp names "\${kind#agent }" "$cur" 2>/dev/null </dev/null) ;;
    folders) compopt -o filenames 2>/dev/null; __git_xmpp_take < <(compgen -d -- "$cur") ;;
    files) compopt -o filenames 2>/dev/null; __git_xmpp_take < <(compgen -f -- "$cur") ;;
    *) compopt +o default +o bashdefault 2>/dev/null ;;
  esac
}

__git_xmpp_complete() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} cur=
  local -a words
  read -r -a words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    cur=\${words[\${#words[@]} - 1]}
    unset "words[\${#words[@]} - 1]"
  fi
  while ((\${#words[@]} > 0)) && [[ \${words[0]} != xmpp && \${words[0]##*/} != git-xmpp ]]; do words=("\${words[@]:1}"); done
  COMPREPLY=()
  __git_xmpp_offer "\${words[@]:1}"
}

# Called by git's own completion.
_git_xmpp() {
  __git_xmpp_complete
}

complete -o bashdefault -o default -F __git_xmpp_complete git-xmpp
`;
