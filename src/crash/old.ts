import { parseStackFrame, type StackFrame } from './frame.js';

/** What a report says of a crash, as far as it can be read. */
export interface CrashDescription {
  /** As the tool calls it, e.g. "heap-buffer-overflow", "SEGV", "timeout"; else "unknown". */
  readonly kind: string;
  /** Functions of the first stack, inside out, without the runtime's; at most 64. */
  readonly frames: string[];
  /** frames[0], or "unknown". */
  readonly topFrame: string;
}

const mostFrames = 64;
/** ClusterFuzz groups by three frames as well: fewer merge bugs, more split them. */
const signatureFrames = 3;
/** Longer lines are cut; a demangled name of more than this tells nobody anything. */
const longestLine = 4096;
const longestKind = 128;

/**
 * Reads what a sanitizer (Address, Memory, Thread, Leak, UndefinedBehavior) or
 * libFuzzer itself wrote. Takes any text; its cost grows with the length alone.
 */
export function parseCrashReport(report: string): CrashDescription {
  const lines = report.split('\n').map((line) => line.slice(0, longestLine));
  const found = findHeadline(lines);
  const frames = readFrames(lines.slice(found.at));
  if (frames.length === 0 && found.location) frames.push(found.location);
  const kind = found.kind.slice(0, longestKind).toWellFormed();
  return { kind, frames, topFrame: frames[0] ?? 'unknown' };
}

/**
 * Equal for crashes that have the same cause as far as the stack tells: their
 * kind and three innermost frames agree, recursion counted once. Where the stack
 * overflowed, the functions that recur count instead, since which of them ran
 * out of it is chance.
 */
export function crashSignature(crash: { kind: string; frames: readonly string[] }): string {
  const collapsed = crash.frames.filter((frame, i) => frame !== crash.frames[i - 1]);
  const telling = crash.kind === 'stack-overflow' ? recurring(crash.frames) : [];
  const frames = (telling.length > 0 ? telling : collapsed).slice(0, signatureFrames);
  return [crash.kind, ...frames].join('\n');
}

function recurring(frames: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const frame of frames) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([frame]) => frame)
    .sort();
}

interface Headline {
  readonly kind: string;
  /** Line of the report it stands in. */
  readonly at: number;
  /** "file.cc:12", where the headline itself names it. */
  readonly location?: string;
}

const sanitizer =
  /(?:ERROR|WARNING): (Address|HWAddress|Memory|Thread|Leak|UndefinedBehavior)Sanitizer: (.*)$/;
const libFuzzer = /== ?ERROR: libFuzzer: (.*)$/;
const undefinedBehavior = /^(.{0,1024}?):(\d{1,9})(?::\d{1,9})?: runtime error: (.*)$/;

/** The line that says what happened. "runtime error" may be a mere warning before it. */
function findHeadline(lines: readonly string[]): Headline {
  let warning: Headline | undefined;
  for (const [at, line] of lines.entries()) {
    const bySanitizer = sanitizer.exec(line);
    if (bySanitizer) return { at, kind: sanitizerKind(bySanitizer[2] as string) };
    const byEngine = libFuzzer.exec(line);
    if (byEngine) return { at, kind: slug(byEngine[1] as string) };
    const undefinedAt = line.includes(': runtime error: ') && undefinedBehavior.exec(line);
    if (undefinedAt) {
      const file = (undefinedAt[1] as string).split('/').at(-1);
      const kind = undefinedKind(undefinedAt[3] as string);
      warning = { at, kind, location: `${file}:${undefinedAt[2]}`.slice(0, 256).toWellFormed() };
    }
  }
  return warning ?? { at: 0, kind: 'unknown' };
}

/** Sentences where others print a name first. */
const sentences: readonly [start: string, kind: string][] = [
  ['attempting double-free', 'double-free'],
  ['attempting free on address', 'bad-free'],
  ['attempting to call malloc_usable_size', 'bad-malloc_usable_size'],
  ['requested allocation size', 'allocation-size-too-big'],
  ['allocator is out of memory', 'out-of-memory'],
  ['specified RSS limit exceeded', 'rss-limit-exceeded'],
  ['detected memory leaks', 'memory-leak'],
];

function sanitizerKind(text: string): string {
  const sentence = sentences.find(([start]) => text.startsWith(start));
  if (sentence) return sentence[1];
  // "heap-use-after-free on address …", "memcpy-param-overlap: …"; ThreadSanitizer: "data race (pid=1)"
  const name = /^[^\s:(]+(?=:| on | in |$)/.exec(text)?.[0];
  return name ?? slug(text);
}

/** "timeout after 3 seconds", "out-of-memory (used: …)", "deadly signal", in the engine's own short words. */
function slug(text: string): string {
  const words = (text.split(/ \(| after \d|:/, 1)[0] as string).trim().split(/\s+/).slice(0, 8);
  return words.join('-') || 'unknown';
}

const undefinedKinds: readonly [pattern: RegExp, kind: string][] = [
  [/^signed integer overflow/, 'signed-integer-overflow'],
  [/^unsigned integer overflow/, 'unsigned-integer-overflow'],
  [/^negation of /, 'signed-integer-overflow'],
  [/^division by zero/, 'division-by-zero'],
  [/^index .* out of bounds/, 'index-out-of-bounds'],
  [/^(?:left )?shift /, 'invalid-shift'],
  [/ misaligned address /, 'misaligned-address'],
  [/ null pointer/, 'null-pointer'],
  [/ with insufficient space/, 'object-size'],
  [/ does not point to an object of type/, 'dynamic-type-mismatch'],
  [/through pointer to incorrect function type/, 'function-type-mismatch'],
  [/not a valid value for type/, 'invalid-value'],
  [/outside the range of representable values/, 'float-cast-overflow'],
  [/^implicit conversion /, 'implicit-conversion'],
  [/^execution reached an unreachable program point/, 'unreachable'],
  [/^execution reached the end of a value-returning function/, 'missing-return'],
  [
    /^(?:pointer index expression|addition of unsigned offset|subtraction of unsigned offset|applying )/,
    'pointer-overflow',
  ],
  [/^variable length array bound/, 'vla-bound'],
];

function undefinedKind(text: string): string {
  return undefinedKinds.find(([pattern]) => pattern.test(text))?.[1] ?? 'undefined-behavior';
}

/** Stacks that tell where memory or a thread came from, not where it crashed. */
const history =
  /^\s{0,8}(?:freed by|previously allocated by|allocated by|Thread T\d+ .{0,64}created by)/;

function readFrames(lines: readonly string[]): string[] {
  const stack = firstStack(lines);
  const handlerEnd = signalHandlerEnd(stack);
  const own: string[] = [];
  const library: string[] = [];
  for (const frame of stack.slice(handlerEnd)) {
    if (frame.isEngine && own.length > 0) break;
    if (!frame.isEngine) (frame.isRuntime ? library : own).push(frame.name);
  }
  return (own.length > 0 ? own : library).slice(0, mostFrames);
}

function firstStack(lines: readonly string[]): StackFrame[] {
  const stack: StackFrame[] = [];
  for (const line of lines) {
    const frame = parseStackFrame(line);
    if (!frame && (stack.length > 0 || history.test(line))) break;
    if (frame) stack.push(frame);
  }
  return stack;
}

/**
 * libFuzzer prints its own stack from inside its signal handler. In a stripped
 * target the handler's frames have no name: they are those before the C library's.
 */
function signalHandlerEnd(stack: readonly StackFrame[]): number {
  if (stack[0]?.name !== '__sanitizer_print_stack_trace') return 0;
  const deepest = 6;
  const trampoline = stack.slice(1, deepest).findIndex((frame) => frame.isRuntime);
  return trampoline + 1;
}
