import { functionName } from '../names.js';
import { frame, type ParsedFrame } from '../stacks/frame.js';
import { readLocation } from '../stacks/location.js';
import type { Format, Headline } from './format.js';

/** Since 1.73: "thread 'main' panicked at src/main.rs:5:9:", with the message in the next line. */
const panicked = /thread '.{0,256}?'(?: \(\d{1,12}\))? panicked at (.*)$/;
const older = /^'(.{0,2048})', ([^,']{1,512}?):(\d{1,9})(?::\d{1,9})?$/;
/** The end of an older panic whose message takes several lines. */
const olderEnd = /', ([^,']{1,512}?):(\d{1,9})(?::\d{1,9})?$/;
const newer = /^([^\s']{1,512}):(\d{1,9}):\d{1,9}:?$/;
const olderBegin = /^'(.{0,2048})$/;
/** What follows a panic because of it. */
const followUps =
  /^(?:panic in a (?:function that cannot unwind|destructor during cleanup)|thread panicked while processing panic)/;
const assertion = /^assertion (?:`|failed)/;
/** Lines that one message may take. */
const mostMessageLines = 4;

/** Rust: panics, with and without a backtrace. */
export const rust: Format = {
  name: 'rust',
  hint: /panicked at /,
  headline(lines, at): Headline | undefined {
    const text = panicked.exec(lines[at] as string)?.[1]?.trim();
    if (text === undefined) return undefined;
    const found = readPanic(text, lines, at);
    if (followUps.test(found.message)) return undefined;
    return { kind: 'panic', rank: 'cause', at, language: 'rust', isDeliberate: true, ...found };
  },
  stack: (lines, headline) => rustStack(lines, headline.at + 1),
};

function readPanic(text: string, lines: readonly string[], at: number) {
  const old = older.exec(text);
  if (old) return { message: old[1] as string, file: old[2] as string, line: Number(old[3]) };
  const now = newer.exec(text);
  if (now)
    return { message: messageAfter(lines, at), file: now[1] as string, line: Number(now[2]) };
  const begun = olderBegin.exec(text)?.[1];
  const end = begun === undefined ? undefined : endOf(lines, at);
  if (end) return { message: begun as string, file: end[1] as string, line: Number(end[2]) };
  return { message: begun ?? text };
}

function endOf(lines: readonly string[], at: number): RegExpExecArray | undefined {
  for (const line of lines.slice(at + 1, at + 1 + mostMessageLines)) {
    const found = olderEnd.exec(line);
    if (found) return found;
  }
  return undefined;
}

/** assert_eq! writes its two values in lines of their own, which are no part of the message. */
function messageAfter(lines: readonly string[], at: number): string {
  const text: string[] = [];
  for (const line of lines.slice(at + 1, at + 1 + mostMessageLines)) {
    if (/^(?:stack backtrace:|note: |==\d|\s{0,4}(?:left|right): )/.test(line)) break;
    text.push(line.trim());
    if (!assertion.test(text[0] ?? '')) break;
  }
  return text.join(' ').trim();
}

const call = /^\s{0,8}(\d{1,5}):\s{1,8}(?:0x([0-9a-f]{1,16}) - )?(\S.*)$/;
const place = /^\s{4,64}at (\S.{0,1023}?)\s*$/;
/** Lines between a panic and its backtrace. */
const backtraceWithin = 24;

/** "   3: rs::width" and "             at ./src/main.rs:5:9", as std and the backtrace crate write it. */
export function rustStack(lines: readonly string[], from: number): ParsedFrame[] {
  const near = lines.slice(from, from + backtraceWithin);
  const header = near.findIndex((line) => /stack backtrace:/i.test(line));
  if (header < 0) return [];
  const frames: ParsedFrame[] = [];
  for (let at = from + header + 1; at < lines.length && frames.length < 128; at++) {
    const line = lines[at] as string;
    const found = call.exec(line);
    if (found) {
      const location = place.exec(lines[at + 1] ?? '');
      const where = location ? readLocation(location[1] as string) : {};
      const address = found[2] ?? '';
      frames.push(
        frame({
          index: Number(found[1]),
          function: functionName(found[3] as string),
          address,
          ...where,
        }),
      );
    } else if (/^(?:note: |==\d|thread ')/.test(line)) break;
  }
  return frames;
}
