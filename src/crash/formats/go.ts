import { frame, type ParsedFrame } from '../stacks/frame.js';
import { readLocation } from '../stacks/location.js';
import type { Format, Headline } from './format.js';

const panic = /^(?:.{0,256}?\s|[^\s]{0,64}[:\]|>]\s?)?panic: (.+)$/;
const fatal = /^(?:.{0,128}?\s)?fatal error: (.+)$/;
const race = /^WARNING: DATA RACE/;
/** Lines behind a headline in which a goroutine must follow. */
const goroutineWithin = 40;
/** Stacks of a fuzzing worker stand further in, as a part of its test's log. */
const goroutine = /^\s{0,16}goroutine \d{1,19} .{0,128}?\[[^\]]{1,128}\]:/;

/** Go: "panic: …", "fatal error: …" and the race detector, with the stacks of goroutines. */
export const go: Format = {
  name: 'go',
  hint: /panic: |fatal error: |WARNING: DATA RACE/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (race.test(line)) return { kind: 'data-race', rank: 'error', at, language: 'go' };
    const text = panic.exec(line)?.[1] ?? fatal.exec(line)?.[1];
    if (text === undefined) return undefined;
    const follow = lines.slice(at + 1, at + 1 + goroutineWithin);
    const isGo = follow.some((next) => goroutine.test(next) || next.startsWith('[signal SIG'));
    if (!isGo && !/runtime error: |\[recovered\]/.test(text)) return undefined;
    // A panic that was recovered and raised again is the first one's.
    if (/^\s/.test(line) && /\[recovered\]/.test(lines[at - 1] ?? '')) return undefined;
    const kind = line.includes('fatal error: ') ? fatalKind(text) : 'panic';
    const message = text.replace(/ \[recovered.{0,32}\]$/, '');
    return { kind, rank: 'cause', at, message, language: 'go', isDeliberate: true };
  },
  stack: (lines, headline) => goStack(lines, headline.at + 1),
};

function fatalKind(text: string): string {
  if (/^stack overflow/.test(text)) return 'stack-overflow';
  if (/out of memory/.test(text)) return 'out-of-memory';
  if (/^all goroutines are asleep/.test(text)) return 'deadlock';
  return 'fatal-error';
}

const call = /^\s{0,16}([^\s()]\S{0,1023})\([^()]{0,1024}\)\s*$/;
const place =
  /^(?:\t| {1,16}\t?)(.{1,1024}?:\d{1,9})(?: \+0x([0-9a-f]{1,16}))?(?: fp=0x\S{1,20} sp=0x\S{1,20}(?: pc=0x\S{1,20})?)?\s*$/;
const created = /^\s{0,16}created by /;

/** Calls of the first goroutine, which the runtime prints first as the one at fault. */
export function goStack(lines: readonly string[], from: number): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (let at = from; at + 1 < lines.length && frames.length < 128; at++) {
    const line = lines[at] as string;
    // "runtime stack:" is the scheduler's, before that of the goroutine at fault.
    if (goroutine.test(line) && frames.every(isRuntime)) frames.length = 0;
    if (frames.length > 0 && (created.test(line) || goroutine.test(line) || isOtherSide(line)))
      break;
    if (frames.length > 0 && line.trim() === '' && !frames.every(isRuntime)) break;
    const name = call.exec(line)?.[1];
    const location = name === undefined ? null : place.exec(lines[at + 1] as string);
    if (name === undefined || !location) continue;
    frames.push(frame({ function: goName(name), ...readLocation(location[1] as string) }));
    at++;
  }
  // What is above the runtime's panic is the runtime's way of printing it.
  const raised = frames.findIndex((one) =>
    /^(?:panic|runtime\.gopanic|runtime\.sigpanic)$/.test(one.function),
  );
  return raised < 0 ? frames : frames.slice(raised + 1);
}

const isRuntime = (one: ParsedFrame) => /^(?:runtime[./]|panic$)/.test(one.function);
const isOtherSide = (line: string) =>
  /^(?:Previous (?:write|read) at|Goroutine \d{1,19} )/.test(line.trim());

/** "main.(*Reader).read(...)" without arguments; generics as "[...]" go as well. */
const goName = (text: string) =>
  text
    .replace(/\[\.{3}\]/g, '')
    .trim()
    .slice(0, 256)
    .toWellFormed();
