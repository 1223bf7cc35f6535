import type { Format, Headline } from './format.js';
import { placeBefore } from './place.js';

/** Text of an assertion that is looked at, before and behind its first word. */
const before = 1600;
const behind = 2304;

/** Texts from the word on; the first group is the condition, named ones are where it stands. */
const texts: readonly RegExp[] = [
  // glibc, musl, libstdc++: "prog: a.c:3: int f(int): Assertion `x > 0' failed."
  /^Assertion [`'](?<condition>.{1,2048}?)' failed/,
  // macOS, BSD: "Assertion failed: (x > 0), function f, file a.c, line 3."
  /^Assertion failed: (?<condition>.{1,2048}?), function (?<function>.{1,512}?), file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // Windows: "Assertion failed: x > 0, file a.c, line 3"
  /^Assertion failed: (?<condition>.{1,2048}?), file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // musl: "Assertion failed: x > 0 (a.c: f: 3)"
  /^Assertion failed: (?<condition>.{1,2048}) \((?<file>[^\s:()]{1,512}): ?(?<function>[^:()]{0,512}): ?(?<line>\d{1,9})\)/,
  // GLib's, behind the words of any log: "f: assertion 'x != NULL' failed"
  /^assertion [`'](?<condition>.{1,2048}?)' failed/,
  // Bionic: 'a.c:3: f: assertion "x > 0" failed'
  /^assertion "(?<condition>.{1,2048}?)" failed/,
  // libc++: "/c++/v1/optional:12: assertion this->has_value() failed: …"
  /^assertion (?<condition>.{1,2048}?) failed(?::|$)/,
  // Qt: 'ASSERT: "x > 0" in file a.cpp, line 3'
  /^ASSERT(?: failure in .{1,256})?: "(?<condition>.{1,2048}?)"(?: in|,) file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // Mozilla, WebKit: "Assertion failure: x, at a.cpp:3", "ASSERTION FAILED: x"
  /^Assertion failure: (?<condition>.{1,2048}?)(?:, at (?<file>(?:[A-Za-z]:)?[^\s:]{1,512}):(?<line>\d{1,9}))?$/,
  /^CSA_ASSERT failed: (?<condition>.{1,2048})$/,
  /^(?:Assertion|assertion|[Aa]ssert|ASSERT|ASSERTION) (?:failed|FAILED|failure)[:!]? ?(?<condition>.{0,2048})$/,
];

const word = /\b(?:Assertion|assertion|ASSERT|ASSERTION|CSA_ASSERT|[Aa]ssert fail(?:ed|ure):)/;
/** Java, Python, JavaScript and Chromium have formats of their own. */
const others =
  /FATAL:.{1,256}\] Assert failed: |java\.lang\.AssertionError|^AssertionError|console\.assert|DCHECK|Exception/;

/** assert() of the C libraries, and its kin elsewhere. */
export const assertion: Format = {
  name: 'assertion',
  hint: word,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    // Rust's assertions are panics, with the message in the next line.
    if (others.test(line) || / panicked at /.test(lines[at - 1] ?? line)) return undefined;
    const start = line.search(word);
    const text = line.slice(start, start + behind);
    for (const pattern of texts) {
      const groups = pattern.exec(text)?.groups;
      if (groups) return headlineOf(groups, line.slice(Math.max(0, start - before), start), at);
    }
    return undefined;
  },
};

function headlineOf(
  groups: Record<string, string | undefined>,
  head: string,
  at: number,
): Headline {
  const {
    condition = '',
    file,
    line,
    function: name,
  } = groups as Record<Group, string | undefined>;
  const place = file
    ? { file, line: Number(line ?? 0), ...(name && { function: name }) }
    : placeBefore(head);
  const fixed = { kind: 'assertion-failure', rank: 'cause', isDeliberate: true } as const;
  return { ...fixed, at, message: condition, ...place };
}

type Group = 'condition' | 'file' | 'line' | 'function';
