import type { Format, Headline } from './format.js';

/** Messages before an abort: of the C++ runtime, of the C library's own checks. */
const messages: readonly [pattern: RegExp, kind: string][] = [
  [/terminate called after throwing an instance of '(.{1,1024})'/, 'uncaught-exception'],
  [
    /terminating (?:with|due to) uncaught (?:foreign )?exception(?: of type )?(.{0,2048})$/,
    'uncaught-exception',
  ],
  [/terminat(?:e called|ing) recursively/, 'uncaught-exception'],
  [/pure virtual (?:method|function) call(?:ed)?/i, 'pure-virtual-call'],
  [/Deleted virtual function called/i, 'pure-virtual-call'],
  [/\*{3} (?:stack smashing detected) \*{3}/, 'stack-smashing'],
  [/\*{3} (?:buffer overflow detected) \*{3}/, 'buffer-overflow'],
  [/stack corruption detected/, 'stack-smashing'],
  [/FORTIFY: (.{1,512})$/, 'buffer-overflow'],
  [/\*{3} (?:longjmp causes uninitialized stack frame) \*{3}/, 'stack-corruption'],
  [/(?:double free or corruption|free\(\): double free detected)(.{0,128})/, 'double-free'],
  [/(?:free|munmap_chunk|realloc)\(\): invalid (?:pointer|size|next size.{0,64})/, 'bad-free'],
  [
    /(?:malloc|calloc|realloc|malloc_consolidate|free|unlink_chunk|sysmalloc)\(\): .{1,128}/,
    'heap-corruption',
  ],
  [
    /corrupted (?:double-linked list|size vs\. prev_size)|corrupted unsorted chunks/,
    'heap-corruption',
  ],
  [/Scudo ERROR: (.{1,256})/, 'heap-corruption'],
  [/terminate called without an active exception/, 'uncaught-exception'],
  [/fatal libc error|Fatal glibc error: (.{1,512})/, 'assertion-failure'],
];

/** The text of an exception stands in the line after its type. */
const what = /^\s{1,8}what\(\): {1,4}(.{0,2048})$/;

/** Abort messages of the C++ runtime and the C library. */
export const abortMessage: Format = {
  name: 'abort-message',
  hint: /terminat|virtual|\*{3} |free|alloc|unlink_chunk|corrupt|FORTIFY|Scudo|libc error/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (/Sanitizer/.test(line)) return undefined;
    for (const [pattern, kind] of messages) {
      const found = pattern.exec(line);
      if (!found) continue;
      const text = what.exec(lines[at + 1] ?? '')?.[1];
      const subject = (found[1] ?? found[0]).trim();
      const message = text === undefined ? subject : `${subject}: ${text}`;
      return { kind, rank: 'cause', at, message, isDeliberate: true };
    }
    return undefined;
  },
};

const fatal =
  /^(?:.{0,128}?[\s:\]|>])?(?:FATAL(?: ERROR)?|Fatal(?: error)?|fatal(?: error)?|PANIC|BUG|INTERNAL ERROR|internal error|ABORT(?:ED|ING)?|\[fatal\])\s?[:!\]-] ?(.{1,1024})$/;
const notFatal = /libFuzzer|Sanitizer|goroutine|: fatal error: .*(?:file not found|\.h)/;

/** A program's own last words: "FATAL: magic == MAGIC". */
export const fatalLine: Format = {
  name: 'fatal-line',
  hint: /FATAL|[Ff]atal|PANIC|BUG|INTERNAL ERROR|internal error|ABORT/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (notFatal.test(line)) return undefined;
    const message = fatal.exec(line)?.[1];
    return message
      ? { kind: 'fatal-error', rank: 'hint', at, message, isDeliberate: true }
      : undefined;
  },
};

const critical =
  /\[critical\](?:\[[^\]]{0,64}\])? \[?([^\s:[\]]{1,512}):(\d{1,9})\] (panic: )?(.{1,1024})$/;

/** spdlog, as Envoy writes it: "[…][critical][main] source/a.cc:12] panic: not reached". */
export const criticalLine: Format = {
  name: 'critical-line',
  hint: /\[critical\]/,
  headline(lines, at): Headline | undefined {
    const found = critical.exec(lines[at] as string);
    if (!found) return undefined;
    const place = { file: found[1] as string, line: Number(found[2]) };
    const kind = found[3] === undefined ? 'fatal-error' : 'panic';
    const message = found[4] as string;
    return { kind, rank: 'hint', at, message, language: 'c', isDeliberate: true, ...place };
  },
};
