import type { Format, Headline } from './format.js';

const failure =
  /^(?:.{0,256}\s)?([^\s:()]{1,512})(?::(\d{1,9})|\((\d{1,9})\)): (?:Failure|error: Failure)\s*$/;
/** Lines of a failed expectation that tell it from others. */
const expectation = 4;

/** GoogleTest and FuzzTest: "a_test.cc:12: Failure" and the expectation in the next lines. */
export const googleTest: Format = {
  name: 'googletest',
  hint: /: (?:error: )?Failure/,
  headline(lines, at): Headline | undefined {
    const found = failure.exec(lines[at] as string);
    if (!found) return undefined;
    const text: string[] = [];
    for (const line of lines.slice(at + 1, at + 1 + expectation)) {
      if (line.trim() === '' || /^(?:\[|=====|\*\*\*|#\d)/.test(line)) break;
      text.push(line.trim());
    }
    const line = Number(found[2] ?? found[3]);
    return {
      kind: 'test-failure',
      rank: 'hint',
      at,
      message: text.join(' '),
      file: found[1] as string,
      line,
      language: 'c',
      isDeliberate: true,
    };
  },
};

const goFailure = /^\s*--- FAIL: \S/;
const goLine = /^\s+([^\s:()]{1,512}\.go):(\d{1,9}): (.{1,2048})$/;
/** Lines of a failed test in Go, within which its last message is. */
const goBlock = 20;

/** Go's tests: "--- FAIL: FuzzParse" and "    parse_test.go:9: text", of which the last one ends it. */
export const goTest: Format = {
  name: 'go-test',
  hint: /\.go:\d/,
  headline(lines, at): Headline | undefined {
    const [, file, line, message] = goLine.exec(lines[at] as string) ?? [];
    // A panic has a stack behind it, which is read instead.
    if (file === undefined || message === undefined || /^panic: /.test(message)) return undefined;
    if (goLine.test(lines[at + 1] ?? '')) return undefined;
    const before = lines.slice(Math.max(0, at - goBlock), at);
    if (!before.some((one) => goFailure.test(one))) return undefined;
    return {
      kind: 'test-failure',
      rank: 'hint',
      at,
      message,
      file,
      line: Number(line),
      language: 'go',
      isDeliberate: true,
    };
  },
};

const glibError =
  /^(?:.{0,256}\*\*\s?|Bail out! )?(?:([\w.-]{1,128}):)?ERROR:([^\s:]{1,512}):(\d{1,9}):([^:]{1,512}(?:::[^:]{1,512}){0,16}): (.{1,2048})$/;
const glibLog =
  /\(process:\d{1,10}\): (?:([\w.-]{1,128})-)?(ERROR|CRITICAL) \*\*: (?:[\d:.]{1,16}: )?(.{1,2048})$/;
const glibPlain =
  /^\*\* \(.{1,128}:\d{1,10}\): (?:[\w.-]{1,128}-)?(?:ERROR|CRITICAL) \*\*: (?:[\d:.]{1,16}: )?(.{1,2048})$/;

/** GLib: g_assert, g_error, and g_critical where it is fatal. */
export const glib: Format = {
  name: 'glib',
  hint: /ERROR:|ERROR \*\*:|CRITICAL \*\*:/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const found = glibError.exec(line);
    if (found) {
      const message = (found[5] as string)
        .replace(/^assertion failed:? ?/, '')
        .replace(/^\((.{1,1024})\): \(.{0,512}\)$/, '$1');
      return {
        kind: 'assertion-failure',
        rank: 'cause',
        at,
        message,
        file: found[2] as string,
        line: Number(found[3]),
        function: found[4] as string,
        isDeliberate: true,
      };
    }
    const log = glibLog.exec(line);
    const message = log?.[3] ?? glibPlain.exec(line)?.[1];
    if (message === undefined) return undefined;
    const isAssertion = /assertion ['`].{1,1024}' failed/.test(message);
    const kind = isAssertion ? 'assertion-failure' : 'fatal-error';
    return { kind, rank: log?.[2] === 'ERROR' ? 'cause' : 'hint', at, message, isDeliberate: true };
  },
};
