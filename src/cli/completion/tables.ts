import type { Place, Wanted, Word } from './places.js';

/** A shell's way to write a choice, a list and a text. */
export interface Dialect {
  readonly quote: (text: string) => string;
  /**
   * A function that does what stands beside the first pattern that its argument is, or its two
   * arguments with a space between; it fails where there is none.
   */
  readonly choose: (
    what: { name: string; subject: 'one' | 'two' },
    cases: readonly (readonly [patterns: readonly string[], body: string])[],
  ) => string;
  readonly setList: (words: readonly Word[]) => string;
  readonly setText: (variable: string, text: string) => string;
  /** Two statements in a line. */
  readonly both: (first: string, second: string) => string;
}

/**
 * Functions of the shell that know all commands: `_pandafuzz_place AT WORD` sets `at`,
 * `_pandafuzz_commands AT` and `_pandafuzz_options AT` set the list, `_pandafuzz_value AT OPTION` and
 * `_pandafuzz_operand AT` set `kind` ("files", "text", "words", or "names" and which) and the list.
 */
export function tables(places: readonly Place[], dialect: Dialect): string {
  const { both, choose, quote, setList, setText } = dialect;
  const wanted = (what: Wanted): string => {
    if (typeof what === 'string') return setText('kind', what);
    if ('names' in what) return setText('kind', `names ${what.names}`);
    const words = what.words.map((text) => ({ text, about: '' }));
    return both(setText('kind', 'words'), setList(words));
  };
  return [
    choose(
      { name: '_pandafuzz_place', subject: 'two' },
      places
        .filter(({ at }) => at !== '')
        .map((place) => [wordsTo(place).map(quote), setText('at', place.at)]),
    ),
    choose(
      { name: '_pandafuzz_commands', subject: 'one' },
      places
        .filter(({ commands }) => commands.length > 0)
        .map(({ at, commands }) => [[quote(at)], setList(commands)]),
    ),
    choose(
      { name: '_pandafuzz_options', subject: 'one' },
      places.map(({ at, options }) => [[quote(at)], setList(options)]),
    ),
    choose(
      { name: '_pandafuzz_value', subject: 'two' },
      merged(
        places.flatMap(({ at, options }) =>
          options.flatMap(({ text, short, value }) =>
            value === undefined
              ? []
              : [text, short].flatMap((flag) =>
                  flag === undefined ? [] : [[quote(`${at} ${flag}`), wanted(value)] as const],
                ),
          ),
        ),
      ),
    ),
    choose(
      { name: '_pandafuzz_operand', subject: 'one' },
      merged(places.map(({ at, operand }) => [quote(at), wanted(operand)] as const)),
    ),
  ].join('\n\n');
}

/** "job ls" and "job list", as `at` and a word. */
function wordsTo({ at, aliases }: Place): string[] {
  const before = at.split(' ').slice(0, -1).join(' ');
  const last = at.split(' ').at(-1) ?? '';
  return [last, ...aliases].map((word) => `${before} ${word}`);
}

/** Patterns that lead to the same are one case. */
function merged(cases: readonly (readonly [string, string])[]): [string[], string][] {
  const byBody = new Map<string, string[]>();
  for (const [pattern, body] of cases) {
    byBody.set(body, [...(byBody.get(body) ?? []), pattern]);
  }
  return [...byBody].map(([body, patterns]) => [patterns, body]);
}
