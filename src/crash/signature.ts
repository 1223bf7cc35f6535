import type { CrashDescription, CrashFrame } from './description.js';
import { isListed } from './frames/all.js';
import { baseName, shortName } from './names.js';
import { entryPoint, isHelper, raised } from './own.js';
import { reasonOf } from './reason.js';
import { collapsed, smallestCycle } from './recursion.js';

/** Goes up when the same report may get another signature than before. */
export const signatureVersion = 2;

/** ClusterFuzz groups by three frames as well: fewer merge bugs, more split them. */
const signatureFrames = 3;
const distinctFrames = 5;

/** Faults that one bad access takes turns at, by the allocator's and the optimiser's chance. */
const badAccess =
  /^(?:SEGV|BUS|ILL|TRAP|deadly-signal|access-violation|.*buffer-(?:overflow|underflow|underwrite)|.*use-after-.*|container-overflow|unknown-crash|tag-mismatch|negative-size-param|invalid-(?:read|write|jump)|wild-.*|null-pointer|index-out-of-bounds|object-size|misaligned-address|slab-out-of-bounds|.*out-of-bounds|null-ptr-deref)$/;
/** One allocation that no machine has memory for, as allocators and languages refuse it. */
const hugeAllocation = /^(?:allocation-size-too-big|calloc-overflow|reallocarray-overflow)$/;
const refused = /^std::(?:bad_alloc|bad_array_new_length)\b/;
/** The same division, as the processor and as UndefinedBehaviorSanitizer find it. */
const badDivision = /^(?:FPE|division-by-zero)$/;
/** Faults of freeing, which allocators find in different ways. */
const badFree =
  /^(?:double-free|bad-free|invalid-free|heap-corruption|alloc-dealloc-mismatch|bad-malloc_usable_size)$/;
/** Where they strike is chance: the alarm rings while something else runs. */
const byTarget = /^(?:timeout|out-of-memory|rss-limit-exceeded|slow-unit)$/;
/** Kinds whose message is the condition that failed, or the panic's own words. */
const byMessage =
  /(?:check-failure|assertion-failure|fatal-error|panic|uncaught-exception|unreachable|security-issue|test-failure|unimplemented|correctness-failure|api-error|missing-library)$/;

export interface SignatureOptions {
  /** Name of the target, by which timeouts and exhausted memory are grouped. */
  readonly target?: string;
}

/**
 * Equal for crashes that a person would file as one bug: class of the kind, message
 * without values, and the three innermost own functions with their files, without
 * lines. Names lose their namespaces, since inlined frames may come without.
 */
export function crashSignature(crash: CrashDescription, options: SignatureOptions = {}): string {
  const kind = kindClass(crash);
  if (byTarget.test(crash.kind) && !isSingleAllocation(crash))
    return [kind, options.target ?? ''].join('\n');
  const names = namesOf(crash, crash.frames);
  if (crash.otherFrames) return [kind, ...bothSides(crash, names)].join('\n');
  const cycle = smallestCycle(names);
  if (kind === 'stack-overflow')
    return ['stack-overflow', ...(cycle ?? recurring(names))].join('\n');
  const message = byMessage.test(kind) ? reasonOf(crash) : '';
  if (names.length === 0) return [kind, message, options.target ?? ''].join('\n');
  return [kind, message, ...telling(crash, names)].join('\n');
}

/** Finer than the signature: an input with a new key is kept. '' for an unreadable report. */
export function distinctionKey(crash: CrashDescription): string {
  if (!crash.isKnown) return '';
  const frames = byTarget.test(crash.kind) ? namesOf(crash, crash.frames) : placesOf(crash);
  const cycle =
    crash.kind === 'stack-overflow'
      ? smallestCycle(crash.frames.map(({ function: name }) => name))
      : undefined;
  const sides = crash.otherFrames ? [placeOf(crash.otherFrames[0])] : [];
  return [
    crash.kind,
    crash.message,
    ...sides,
    ...(cycle ?? collapsed(frames).slice(0, distinctFrames)),
  ].join('\n');
}

const placesOf = (crash: CrashDescription) => crash.frames.map(placeOf);
const placeOf = (frame: CrashFrame | undefined) => (frame ? `${frame.function}:${frame.line}` : '');

function kindClass(crash: CrashDescription): string {
  const { kind } = crash;
  if (isEndlessRecursion(crash)) return 'stack-overflow';
  if (signal.test(kind) && (kind === 'ABRT' || passes(crash, raised))) {
    // The message may be lost that the C library prints before it ends the process.
    return passes(crash, allocatorAbort) ? 'bad-free' : 'abort';
  }
  if (badAccess.test(kind)) return 'bad-access';
  if (badFree.test(kind)) return 'bad-free';
  if (badDivision.test(kind)) return 'bad-division';
  if (isHugeAllocation(crash)) return 'huge-allocation';
  return kind;
}

/** Signals that a process may send itself; libFuzzer alone calls them all deadly. */
const signal = /^(?:ABRT|TRAP|ILL|SEGV|deadly-signal)$/;
const allocatorAbort = /^malloc_printerr$/;
const passes = (crash: CrashDescription, name: RegExp) =>
  crash.stack.some((frame) => name.test(frame.function));

/** Stacks of this many frames that repeat themselves to the end have run out of stack. */
const deepStack = 30;

function isEndlessRecursion({ kind, stack, frames }: CrashDescription): boolean {
  if (!/^(?:SEGV|BUS|deadly-signal|access-violation)$/.test(kind) || stack.length < deepStack)
    return false;
  const cycle = smallestCycle(frames.map((frame) => frame.function));
  return cycle?.includes(stack.at(-1)?.function ?? '') ?? false;
}

/** libFuzzer's limit for one allocation: its stack is that of the culprit. */
const isHugeAllocation = (crash: CrashDescription) =>
  hugeAllocation.test(crash.kind) || refused.test(crash.message) || isSingleAllocation(crash);

const isSingleAllocation = ({ message, format, kind }: CrashDescription) =>
  message.startsWith('malloc(') || (format === 'sanitizer' && kind === 'out-of-memory');

function namesOf(crash: CrashDescription, frames: readonly CrashFrame[]): string[] {
  const isNative = /^(?:c|swift|unknown)$/.test(crash.language);
  // Compilers name a lambda by its function, or by this alone.
  const named = frames.filter((frame) => frame.function !== 'operator()');
  return (named.length > 0 ? named : frames).map(
    (frame) => (isNative ? nameAndFile(frame) : frame.function) || frame.offset,
  );
}

/** Without its class a method is known by its file: "decode@gif.cc" and "decode@png.cc". */
function nameAndFile({ function: name, file }: CrashFrame): string {
  return file === '' ? shortName(name) : `${shortName(name)}@${baseName(file)}`;
}

const isEntry = (name: string) => entryPoint.test(name.split('@', 1)[0] as string);

/** The innermost names up to where the target was entered, behind helpers that failed checks end in. */
function telling(crash: CrashDescription, names: readonly string[]): string[] {
  const entry = names.findIndex(isEntry);
  const inside = entry > 0 ? names.slice(0, entry) : names;
  return [...helpersAbove(crash), ...collapsed(inside).slice(0, signatureFrames)];
}

/** Helpers do not count as own, but two of them are two ways to end. */
function helpersAbove({ stack, language }: CrashDescription): string[] {
  const own = stack.findIndex((frame) => frame.isOwn);
  return stack
    .slice(0, Math.max(0, own))
    .filter((frame) => isHelper(frame) && !isListed(frame, language))
    .map((frame) => shortName(frame.function));
}

/** Functions that stack overflows go through more than once. */
function recurring(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const often = [...counts].filter(([, count]) => count > 1).map(([name]) => name);
  return often.length > 0 ? often.sort() : names.slice(0, signatureFrames);
}

/** A race is the same from both of its sides. */
function bothSides(crash: CrashDescription, names: readonly string[]): string[] {
  const others = namesOf(crash, crash.otherFrames ?? []);
  return [names[0] ?? '', others[0] ?? ''].sort();
}
