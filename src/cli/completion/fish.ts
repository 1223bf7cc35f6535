import { namesWord } from './lines.js';
import type { Place } from './places.js';
import { type Dialect, tables } from './tables.js';

const quote = (text: string) =>
  `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;

const tab = '\t';

const dialect: Dialect = {
  quote,
  choose: ({ name, subject }, cases) =>
    [
      `function ${name}`,
      `  switch ${subject === 'one' ? '"$argv[1]"' : '"$argv[1] $argv[2]"'}`,
      // A "set" leaves the status as it was.
      ...cases.flatMap(([patterns, body]) => [
        `    case ${patterns.join(' ')}`,
        `      ${body}; return 0`,
      ]),
      "    case '*'",
      '      return 1',
      '  end',
      'end',
    ].join('\n'),
  setList: (words) => {
    const items = words.map(({ text, about }) => quote(about === '' ? text : text + tab + about));
    return ['set -g _pandafuzz_reply', ...items].join(' ');
  },
  setText: (variable, text) => `set -g _pandafuzz_${variable} ${quote(text)}`,
  both: (first, second) => `${first}; ${second}`,
};

export const fishScript = (places: readonly Place[]): string =>
  `# Completion of pandafuzz for fish, made by "pandafuzz completion fish".
${tables(places, dialect)}

# What the word that is begun may be, a line each with what it is about.
function _pandafuzz_complete
  set -l given (commandline -opc)
  set -l program $given[1]
  set -e given[1]
  set -l begun (commandline -ct)
  set -l option ''
  set -l operands 0
  set -l dashes 0
  set -g _pandafuzz_at ''
  set -g _pandafuzz_kind words
  set -g _pandafuzz_reply
  set -l index 1
  while test $index -le (count $given)
    set -l word $given[$index]
    switch "$word"
      case '' '--*=*'
      case --
        set dashes 1
        break
      case '-*'
        if _pandafuzz_value "$_pandafuzz_at" "$word"
          test $index -eq (count $given); and set option $word
          set index (math $index + 1)
        end
      case '*'
        if test $operands -ne 0; or not _pandafuzz_place "$_pandafuzz_at" "$word"
          set operands (math $operands + 1)
        end
    end
    set index (math $index + 1)
  end
  set -l prefix ''
  if string match -q -- '--*=*' "$begun"
    set option (string split -m 1 = -- $begun)[1]
    set prefix $option=
    set begun (string replace -- $prefix '' $begun)
  end
  set -g _pandafuzz_kind words
  set -g _pandafuzz_reply
  if test -n "$option"
    _pandafuzz_value "$_pandafuzz_at" $option; or return
  else if test $dashes -eq 1
    set -g _pandafuzz_kind files
  else if string match -q -- '-*' "$begun"
    _pandafuzz_options "$_pandafuzz_at"
  else if test $operands -ne 0; or not _pandafuzz_commands "$_pandafuzz_at"
    _pandafuzz_operand "$_pandafuzz_at"; or return
  end
  switch $_pandafuzz_kind
    case files
      __fish_complete_path "$begun" | string replace -r -- '^' $prefix
    case 'names *'
      command $program ${namesWord} (string replace 'names ' '' $_pandafuzz_kind) $given 2>/dev/null |
        string replace -r -- '^' $prefix
    case words
      string replace -r -- '^' "$prefix" $_pandafuzz_reply
  end
end
complete -c pandafuzz -f -a '(_pandafuzz_complete)'
`;
