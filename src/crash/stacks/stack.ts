import {
  parseAddressAtEnd,
  parseAtSign,
  parseBacktraceSymbols,
  parseCdb,
  parseHonggfuzz,
  parseKernel,
  parseMac,
  parseWindows,
} from './backtraces.js';
import { type FrameParser, inlined, type ParsedFrame, signalMarker } from './frame.js';
import { parseMinidump } from './minidump.js';
import { parseNumbered } from './numbered.js';
import { parseValgrind } from './valgrind.js';

const mostFrames = 128;
/** Lines of a log that may stand between two frames. */
const longestGap = 40;

const parsers: readonly FrameParser[] = [
  parseNumbered,
  parseValgrind,
  parseAtSign,
  parseHonggfuzz,
  parseMac,
  parseWindows,
  parseCdb,
  parseBacktraceSymbols,
  parseKernel,
  parseAddressAtEnd,
  parseMinidump,
];

/** Signs that every notation has one of; most lines of a log have none. */
const maybeFrame = /#\d|0x[0-9a-f]|==\d{1,10}== {2}|@ {1,12}[0-9a-f]|!|\[inline\]|^\d{1,4}\|\d/i;

/** Headers of stacks that show where memory or a thread came from, not where it crashed. */
const history =
  /^\s{0,8}(?:freed by|previously (?:allocated|freed) by|allocated by|potentially (?:allocated|freed) by|Previous (?:atomic )?(?:read|write) of|Location is |Mutex M\d{1,9} \(.{0,64}created|Uninitialized value was|Memory was marked|Address 0x\S{1,20} is a wild|.{0,40}Address 0x[0-9A-F]{1,16} is \d|.{0,40}Block was alloc'd)/i;
/** Headers of other threads' stacks, and of the first where it stands before all frames. */
const threadOrigin = /^\s{0,8}Thread (?:T\d{1,9} .{0,128}created by|\d{1,9} \()/;
/** Lines that end a report. */
const reportEnd = /^(?:SUMMARY: |==\d{1,10}==ABORTING|(?:.{0,64}; )?Test unit written to )/;

export interface FoundStack {
  readonly frames: readonly ParsedFrame[];
  /** Line after its last frame. */
  readonly end: number;
}

/**
 * The first stack at or after line `from` and before `to`. Lines of a log between
 * its frames are passed over; a frame with a lower number begins another stack.
 */
export function readStack(lines: readonly string[], from: number, to = lines.length): FoundStack {
  const frames: ParsedFrame[] = [];
  let parse: FrameParser | undefined;
  let end = from;
  for (let at = from; at < to && frames.length < mostFrames; at++) {
    const line = lines[at] as string;
    const found = maybeFrame.test(line) ? parseLine(line, parse) : undefined;
    if (!found) {
      if (isEnd(line, frames.length > 0, at - end)) break;
      continue;
    }
    const last = frames.at(-1);
    if (last && isRestart(last, found.frame)) break;
    parse = found.parse;
    frames.push(found.frame);
    end = at + 1;
  }
  return { frames: withoutHandler(frames), end };
}

/** Numbers grow within a stack; Valgrind numbers its first frame alone. */
function isRestart(last: ParsedFrame, next: ParsedFrame): boolean {
  if (next.index === 0) return last.index !== -inlined;
  return next.index > 0 && Number.isInteger(next.index) && next.index <= last.index;
}

function parseLine(line: string, known: FrameParser | undefined) {
  for (const parse of known ? [known] : parsers) {
    const frame = parse(line);
    if (frame) return { frame, parse };
  }
  return undefined;
}

function isEnd(line: string, hasFrames: boolean, gap: number): boolean {
  if (history.test(line) || (hasFrames && threadOrigin.test(line))) return true;
  return (hasFrames && gap > longestGap) || reportEnd.test(line);
}

/** What a signal interrupted comes after its handler's frames. */
function withoutHandler(frames: readonly ParsedFrame[]): readonly ParsedFrame[] {
  const marker = frames.findLastIndex((frame) => frame.function === signalMarker);
  return marker < 0 ? frames : frames.slice(marker + 1);
}
