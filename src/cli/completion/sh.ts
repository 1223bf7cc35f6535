import { namesWord } from './lines.js';
import type { Place } from './places.js';
import { type Dialect, tables } from './tables.js';

/** Completion for bash and zsh, which have tables and the way through the words in common. */

const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const dialect: Dialect = {
  quote,
  choose: ({ name, subject }, cases) =>
    [
      `${name}() {`,
      `  case ${subject === 'one' ? '"$1"' : '"$1 $2"'} in`,
      ...cases.map(([patterns, body]) => `    ${patterns.join(' | ')}) ${body};;`),
      '    *) return 1;;',
      '  esac',
      '}',
    ].join('\n'),
  setList: (words) => {
    const items = words.map(({ text, about }) => quote(about === '' ? text : `${text}:${about}`));
    return `reply=(${items.join(' ')})`;
  },
  setText: (variable, text) => `${variable}=${quote(text)}`,
  both: (first, second) => `${first}; ${second}`,
};

/** From the words before the one that is begun to what that one may be. */
const way = `
# Sets "at", the operands so far, and "option" if the word that follows is an option's value.
_pandafuzz_walk() {
  at='' option='' operands=0 dashes=0
  while [ $# -gt 0 ]; do
    case $1 in
      '' | --*=*) ;;
      --) dashes=1; return 0;;
      -*)
        if _pandafuzz_value "$at" "$1"; then
          if [ $# -eq 1 ]; then option=$1; return 0; fi
          shift
        fi;;
      *)
        if [ $operands -ne 0 ] || ! _pandafuzz_place "$at" "$1"; then
          operands=$((operands + 1))
        fi;;
    esac
    shift
  done
}

# Sets "kind", and "reply" to words with what they are about, for the word that is begun.
_pandafuzz_begun() {
  kind=words reply=()
  if [ -n "$option" ]; then
    _pandafuzz_value "$at" "$option" || kind=text
    return 0
  fi
  case $dashes$1 in
    1*) kind=files;;
    0-*) _pandafuzz_options "$at";;
    *)
      if [ $operands -ne 0 ] || ! _pandafuzz_commands "$at"; then
        _pandafuzz_operand "$at" || kind=text
      fi;;
  esac
}
`;

const common = (places: readonly Place[]) => `${tables(places, dialect)}\n${way}`;

const ask = `"$program" ${namesWord} "\${kind#names }" "\${given[@]}" 2>/dev/null`;

export const bashScript = (places: readonly Place[]): string =>
  `# Completion of pandafuzz for bash, made by "pandafuzz completion bash".
${common(places)}
_pandafuzz() {
  local at option operands dashes kind prefix='' glued='' word program=pandafuzz
  local begun=\${COMP_WORDS[COMP_CWORD]}
  local -a reply given=()
  # bash cuts words at "=" and ":", too.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word == : && \${#given[@]} -gt 0 ]]; then glued=yes
    elif [[ $glued ]]; then given[-1]+=:$word glued=''
    elif [[ $word != = ]]; then given+=("$word")
    fi
  done
  [[ $begun == = ]] && begun=''
  [[ \${COMP_WORDS[0]} == */* && -x \${COMP_WORDS[0]} ]] && program=\${COMP_WORDS[0]}
  _pandafuzz_walk "\${given[@]}"
  [[ $begun == --*=* ]] && option=\${begun%%=*} prefix=\${begun%%=*}= begun=\${begun#*=}
  _pandafuzz_begun "$begun"
  COMPREPLY=()
  case $kind in
    names*) mapfile -t reply < <(${ask});;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$begun")
      return;;
  esac
  for word in "\${reply[@]}"; do
    word=\${word%%[:$'\\t']*}
    [[ $word == "$begun"* ]] && COMPREPLY+=("$prefix$word")
  done
}
complete -F _pandafuzz pandafuzz
`;

export const zshScript = (places: readonly Place[]): string =>
  `#compdef pandafuzz
# Completion of pandafuzz for zsh, made by "pandafuzz completion zsh".
${common(places)}
_pandafuzz() {
  local at option operands dashes kind program=\${(Q)words[1]} begun=\${words[CURRENT]}
  local -a reply given
  (( CURRENT > 2 )) && given=("\${(@Q)words[2,CURRENT-1]}")
  _pandafuzz_walk "\${given[@]}"
  if [[ $begun == --*=* ]]; then
    option=\${begun%%=*}
    compset -P '*='
  fi
  _pandafuzz_begun "$begun"
  case $kind in
    names*)
      reply=("\${(@f)$(${ask})}")
      reply=("\${reply[@]//$'\\t'/:}");;
    files) _files; return;;
  esac
  reply=(\${reply:#})
  local -a how
  [[ $begun == -* && -z $option ]] && how=(-o)
  (( $#reply )) && _describe $how pandafuzz reply
}
if [[ \${funcstack[1]} == _pandafuzz ]]; then _pandafuzz "$@"; else compdef _pandafuzz pandafuzz; fi
`;
