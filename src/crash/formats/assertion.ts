import type { Format, Headline } from './format.js';

/** Ways in which assertions fail; the first group is the condition, named ones say where. */
const patterns: readonly RegExp[] = [
  // glibc, musl, libstdc++: "prog: a.c:3: int f(int): Assertion `x > 0' failed."
  /(?:^|[\s:])(?<file>[^\s:]{1,512}):(?<line>\d{1,9}): (?<function>[^:]{1,1024}(?:::[^:]{1,1024}){0,32}): Assertion [`'](?<condition>.{1,2048}?)' failed/,
  /Assertion failed: (?<condition>.{1,2048}) \((?<file>[^\s:()]{1,512}): ?(?<function>[^:()]{0,512}(?:::[^:()]{1,512}){0,16}): ?(?<line>\d{1,9})\)/,
  // macOS, BSD: "Assertion failed: (x > 0), function f, file a.c, line 3."
  /Assertion failed: (?<condition>.{1,2048}?), function (?<function>.{1,512}?), file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // Windows: "Assertion failed: x > 0, file a.c, line 3"
  /Assertion failed: (?<condition>.{1,2048}?), file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // Bionic: 'a.c:3: f: assertion "x > 0" failed'
  /(?:^|[\s:])(?<file>[^\s:]{1,512}):(?<line>\d{1,9}): (?:(?<function>.{1,512}?): )?assertion "(?<condition>.{1,2048}?)" failed/,
  // libc++: "/c++/v1/optional:12: assertion this->has_value() failed: …"
  /(?:^|\s)(?<file>[^\s:]{1,512}):(?<line>\d{1,9}): (?:libc\+\+ Hardening )?assertion (?<condition>.{1,2048}?) failed(?::|$)/,
  // Qt: 'ASSERT: "x > 0" in file a.cpp, line 3'
  /ASSERT(?: failure in .{1,256})?: "(?<condition>.{1,2048}?)"(?: in|,) file (?<file>.{1,512}?), line (?<line>\d{1,9})/,
  // Mozilla, WebKit: "Assertion failure: x, at a.cpp:3", "ASSERTION FAILED: x"
  /Assertion failure: (?<condition>.{1,2048}?)(?:, at (?<file>[^\s:]{1,512}):(?<line>\d{1,9}))?$/,
  /^.{0,256}?ASSERTION FAILED: (?<condition>.{1,2048})$/,
  /CSA_ASSERT failed: (?<condition>.{1,2048})$/,
  /^.{0,512}?\b(?:Assertion|assertion|ASSERT|ASSERTION) (?:failed|FAILED|failure)[:!]? ?(?<condition>.{0,2048})$/,
];

const likely = /assert/i;
/** A log of one's own may count assertions; Java's and Python's have formats of their own. */
const others = /java\.lang\.AssertionError|^AssertionError|console\.assert|DCHECK|Exception/;

/** assert() of the C libraries, and its kin elsewhere. */
export const assertion: Format = {
  name: 'assertion',
  hint: likely,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (others.test(line) || / Assert failed: /.test(line)) return undefined;
    for (const pattern of patterns) {
      const groups = pattern.exec(line)?.groups;
      if (groups) return headlineOf(groups, at);
    }
    return undefined;
  },
};

function headlineOf(groups: Record<string, string | undefined>, at: number): Headline {
  return {
    kind: 'assertion-failure',
    rank: 'cause',
    at,
    message: groups['condition'] ?? '',
    isDeliberate: true,
    ...(groups['file'] && { file: groups['file'], line: Number(groups['line'] ?? 0) }),
    ...(groups['function'] && { function: groups['function'] }),
  };
}
