import type { Format, Headline } from './format.js';
import { placeBefore } from './place.js';

/** glog and Abseil: "F1127 10:00:00.123456  4711 a.cc:12] …"; Abseil's raw log has brackets first. */
const glogLine =
  /\bF\d{4}(?:\d{4})? \d{2}:\d{2}:\d{2}\.\d{1,9} {1,12}[\d:]{1,12} {1,4}([^\s:\]]{1,512}):(\d{1,9})\] ?(.*)$/;
const rawLog = /\[([^\s:[\]]{1,512}) ?: ?(\d{1,9})\] (?:RAW|FATAL): (.*)$/;
/** Chromium: "[123:456:0603/143054.1:FATAL:a.cc(48)] Check failed: …". */
const chromiumLine =
  /\[[\d:./-]{0,64}:?(?:FATAL|DFATAL):([^\s()\]]{1,512})(?:\((\d{1,9})\)|:(\d{1,9}))\] ?(.*)$/;

const failures: readonly [pattern: RegExp, kind: string][] = [
  [/^(?:Security|SECURITY)[ _](?:DCHECK|CHECK|Check) failed: /i, 'security-check-failure'],
  [/^(?:Debug check|DCHECK) failed: /, 'dcheck-failure'],
  [
    /^Check failed: false\. NOTREACHED|^NOTREACHED|^(?:Check failed: )?(?:unreachable code|UNREACHABLE)/i,
    'unreachable',
  ],
  [/^(?:unimplemented code|NOTIMPLEMENTED)/i, 'unimplemented'],
  [/^Check failed: /, 'check-failure'],
  [/^(?:Check|CHECK) failure/, 'check-failure'],
  [/^Assert(?:ion)? failed: /, 'assertion-failure'],
  [/^CSA_ASSERT failed: /, 'assertion-failure'],
  [/^V8 correctness failure/, 'v8-correctness-failure'],
  [/^V8 error: /, 'v8-api-error'],
  [/^(?:Out of memory|Fatal .{0,64}out of memory|.{0,64}process OOM)/i, 'out-of-memory'],
];

/** What a line behind "FATAL" means, and its text without the words that all such lines have. */
export function failureOf(text: string): { kind: string; message: string } {
  for (const [pattern, kind] of failures) {
    const found = pattern.exec(text);
    if (found)
      return { kind, message: found[0].endsWith(': ') ? text.slice(found[0].length) : text };
  }
  return { kind: 'fatal-error', message: text };
}

function cause(at: number, place: { file: string; line: number }, text: string): Headline {
  return { ...failureOf(text.trim()), rank: 'cause', at, isDeliberate: true, ...place };
}

/** CHECK and LOG(FATAL) of glog and Abseil. */
export const glog: Format = {
  name: 'glog',
  hint: /\bF\d{4}|RAW: |FATAL: /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const found = glogLine.exec(line) ?? rawLog.exec(line);
    if (!found) return undefined;
    return cause(at, { file: found[1] as string, line: Number(found[2]) }, found[3] as string);
  },
};

/** CHECK, DCHECK and LOG(FATAL) of Chromium. */
export const chromium: Format = {
  name: 'chromium',
  hint: /FATAL:/,
  headline(lines, at): Headline | undefined {
    const found = chromiumLine.exec(lines[at] as string);
    if (!found) return undefined;
    const line = Number(found[2] ?? found[3]);
    return cause(at, { file: found[1] as string, line }, found[4] as string);
  },
};

/** Node prints V8's own end, such as an exhausted heap, without a place. */
function nodeError(text: string, at: number): Headline {
  const isMemory = /out of memory/.test(text);
  const kind = isMemory ? 'out-of-memory' : 'fatal-error';
  return { kind, rank: 'cause', at, message: text, language: 'javascript', isDeliberate: true };
}

const v8Place =
  /^# (?:Fatal (?:JavaScript )?(?:error|invalid size error)|Runtime error) in (.{0,512}?)(?:, line (\d{1,9}))?$/;
const v8Memory = /^# Fatal (?:process|JavaScript) (?:OOM in|out of memory:) ?(.{0,512})$/;
/** Lines of a found difference between two ways to run one script. */
const differences = /^# V8 correctness (?:configs|sources|suppression): /;
/** Lines after the headline that may hold V8's text. */
const v8Lines = 4;

/** V8: "# Fatal error in ../../src/a.cc, line 12" and its text in the next line. */
export const v8: Format = {
  name: 'v8',
  hint: /^# (?:Fatal|Runtime error) |^abort: |^# V8 correctness failure|^FATAL ERROR: /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (line.startsWith('abort: ')) return cause(at, { file: '', line: 0 }, line.slice(7));
    if (line.startsWith('FATAL ERROR: ')) return nodeError(line.slice(13), at);
    if (line.startsWith('# V8')) return difference(lines, at);
    const exhausted = v8Memory.exec(line)?.[1];
    if (exhausted !== undefined)
      return { kind: 'out-of-memory', rank: 'cause', at, message: exhausted, isDeliberate: true };
    const place = v8Place.exec(line);
    if (!place) return undefined;
    const next = lines.slice(at + 1, at + 1 + v8Lines).find((text) => /^# \S/.test(text)) ?? '';
    const found = cause(
      at,
      { file: place[1] as string, line: Number(place[2] ?? 0) },
      next.slice(2),
    );
    return line.startsWith('# Runtime') ? { ...found, kind: 'assertion-failure' } : found;
  },
};

function difference(lines: readonly string[], at: number): Headline {
  const near = lines.slice(at + 1, at + 1 + v8Lines).filter((line) => differences.test(line));
  const text = [
    'V8 correctness failure',
    ...near.map((line) => line.replace('# V8 correctness ', '')),
  ];
  return cause(at, { file: '', line: 0 }, text.join('; '));
}

/** Android: "CHECK_EQ(a, b) failed: 0 vs. 1", "CHECK(x) failed.". */
const calledCheck = /\bD?CHECK(?:_[A-Z]{2})?\(/;
const longestCondition = 1024;

const bareCheck =
  /\b(?:CHECK|Check|DCHECK|Debug check|SECURITY_CHECK|Security DCHECK) (?:failed|failure|FAILED)\b/;
const longestCheck = 2048;

/** A check without the prefix of a log: "CHECK failed: x == y", "a.cc(12): Check failed: …". */
export const plainCheck: Format = {
  name: 'check',
  hint: /CHECK|Check|Debug check|DCHECK/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (/Sanitizer|^# |Check failure stack trace/.test(line)) return undefined;
    const start = line.search(bareCheck);
    if (start < 0) return checkCall(line, at);
    const text = line.slice(start, start + longestCheck);
    const failed = text.replace(/^(D?)CHECK (?:failed|failure)/i, (_, d: string) =>
      d === '' ? 'Check failed' : 'DCHECK failed',
    );
    const { file = '', line: number = 0 } = placeBefore(
      line.slice(Math.max(0, start - 1024), start),
    );
    return cause(at, { file, line: number }, failed.replace(/^([\w ]{1,24} failed)(?!:)/, '$1:'));
  },
};

/** Begins with the end of the condition, so that the cost is linear. */
function checkCall(line: string, at: number): Headline | undefined {
  const end = line.search(/\) failed[:.]/);
  if (end < 0) return undefined;
  const from = Math.max(0, end - longestCondition);
  const head = line.slice(from, end);
  const found = calledCheck.exec(head);
  if (!found) return undefined;
  const start = from + found.index;
  const place = placeBefore(line.slice(Math.max(0, start - 1024), start));
  const message = head.slice(found.index + found[0].length).trim();
  return { kind: 'check-failure', rank: 'cause', at, message, isDeliberate: true, ...place };
}
