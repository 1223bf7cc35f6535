import type { CrashFrame } from './description.js';
import { isCheck, isEngine, isListed } from './frames/all.js';
import type { FrameMatcher } from './frames/list.js';
import { baseName, shortName } from './names.js';
import type { ParsedFrame } from './stacks/frame.js';

export interface OwnOptions {
  readonly language: string;
  readonly project?: FrameMatcher;
  /** The process ended by its own decision, so helpers stand on its stack. */
  readonly isDeliberate: boolean;
  /** Where the failed check stands, if its message has it. */
  readonly place?: { readonly file: string; readonly line: number };
}

const mostOwn = 64;

/** Functions through which a process ends itself by a signal. */
export const raised =
  /^(?:abort|raise|__?GI_(?:raise|abort)|gsignal|__?pthread_kill(?:_implementation|_internal)?|pthread_kill)$/;
/** How deep they stand at most, below a signal handler's frames. */
const deepestRaise = 12;

/** A crashing stack, and the frames of it that are the target's own. */
export interface OwnStack {
  readonly stack: readonly CrashFrame[];
  readonly frames: readonly CrashFrame[];
}

/** Marks which frames are the target's own: see frames/ for those that are not. */
export function ownFrames(parsed: readonly ParsedFrame[], options: OwnOptions): OwnStack {
  const named = withoutInlinedDoubles(parsed.slice(signalHandlerEnd(parsed)).filter(isNamed));
  const isOwn = markOwn(named, options);
  const stack = named.map((frame, i) => crashFrame(frame, isOwn[i] as boolean));
  const own = stack.filter((frame) => frame.isOwn);
  if (own.length > 0) return { stack, frames: own.slice(0, mostOwn) };
  return { stack, frames: stack.filter(isTelling).slice(0, mostOwn) };
}

/** Where all is the library's, what stands at the end of every stack says nothing. */
const isTelling = (frame: CrashFrame) =>
  !/^(?:main|_start|start|__libc_start.*|__sanitizer_.*|_?exit|fuzzer::.*)$/.test(frame.function) &&
  !raised.test(frame.function);

const isNamed = ({ function: name, module, offset }: ParsedFrame) =>
  name !== '' || module !== '' || offset !== '';

function markOwn(frames: readonly ParsedFrame[], options: OwnOptions): boolean[] {
  const own = frames.map((frame) => !isListed(frame, options.language, options.project));
  for (const [i, frame] of frames.entries()) {
    const caller = frames[i - 1];
    // The engine's main calls the engine, and no target.
    if (frame.function === 'main' && caller && isEngine(caller)) own[i] = false;
  }
  const engine = frames.findIndex(
    (frame, i) => own.indexOf(true) < i && own.includes(true) && isEngine(frame),
  );
  if (engine >= 0) own.fill(false, engine);
  // A library without symbols says nothing where the target has some.
  if (frames.some((frame, i) => own[i] && frame.function !== '')) {
    for (const [i, frame] of frames.entries()) if (frame.function === '') own[i] = false;
  }
  const checked = placeOf(frames, own, options.place);
  if (checked >= 0) own.fill(false, 0, checked);
  else if (isDeliberate(frames, options)) skipHelpers(frames, own);
  return own;
}

function isDeliberate(frames: readonly ParsedFrame[], options: OwnOptions): boolean {
  if (!/^(?:c|rust|unknown)$/.test(options.language)) return false;
  if (options.isDeliberate) return true;
  return frames.slice(0, deepestRaise).some((frame) => raised.test(frame.function));
}

/** The frame that a check's message names by file and line; helpers stand above it. */
function placeOf(
  frames: readonly ParsedFrame[],
  own: readonly boolean[],
  place: OwnOptions['place'],
): number {
  if (!place || place.line === 0 || place.file === '') return -1;
  const file = baseName(place.file);
  return frames.findIndex(
    (frame, i) => own[i] && frame.line === place.line && baseName(frame.file) === file,
  );
}

/** Words of functions that are called when something has gone wrong already. */
const helperWord =
  /(?:^|_)(?:abort(?:s|ing|ed)?|die|dies|fatal|panic|assert(?:ion)?s?|fail(?:s|ed|ure)?|crash|oops|unreachable|not_?reached|terminate|bail|throws?|raise|exit|quit)(?:_|$)|(?:^|_)error$/;
const mostHelpers = 6;
/** Frames of a logger's handler that may stand above the logger. */
const mostHandlers = 4;
/** Functions that only begin the work. */
export const entryPoint =
  /^(?:(?:main|[\w$.]{1,256}\.main)|LLVMFuzzerTestOneInput|(?:[\w$.]{1,256}\.)?fuzzerTestOneInput|TestOneInput|TestOneProtoInput|__libfuzzer_sys_run|module\.exports\.fuzz|Object\.<anonymous>|<module>|FuzzMe|_main|wmain|WinMain)$/;

/** Helpers of one's own through which all failed checks end: log_fatal, die, check_failed. */
function skipHelpers(frames: readonly ParsedFrame[], own: boolean[]): void {
  const handler = own.indexOf(true);
  if (handler < 0) return;
  // A logger's handler of the target's own is called by the logger that a check called.
  const check = frames.slice(0, handler + mostHandlers).findLastIndex(isCheck);
  if (check > handler && own.indexOf(true, check) > 0) own.fill(false, handler, check);
  const first = own.indexOf(true);
  let end = first;
  while (
    end < frames.length &&
    end - first < mostHelpers &&
    own[end] &&
    isHelper(frames[end] as ParsedFrame)
  )
    end++;
  const next = frames[end];
  if (end === first || !next || !own[end] || entryPoint.test(shortName(next.function))) return;
  own.fill(false, first, end);
}

export function isHelper(frame: { readonly function: string }): boolean {
  const words = shortName(frame.function)
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase();
  return helperWord.test(words);
}

/** A function that was inlined into itself by name: "~Display" and "cc::Display::~Display". */
function withoutInlinedDoubles(frames: readonly ParsedFrame[]): ParsedFrame[] {
  const kept: ParsedFrame[] = [];
  for (const frame of frames) {
    const last = kept.at(-1);
    if (!last || !isDouble(last, frame)) kept.push(frame);
    else if (frame.function.length > last.function.length)
      kept[kept.length - 1] = { ...last, function: frame.function };
  }
  return kept;
}

function isDouble(a: ParsedFrame, b: ParsedFrame): boolean {
  if (a.address === '' || a.address !== b.address || a.function === '') return false;
  // Recursion has one address as well, but one spelling too.
  return a.function !== b.function && shortName(a.function) === shortName(b.function);
}

/**
 * libFuzzer prints its own stack from inside its signal handler. In a stripped
 * target the handler's frames have no name: they are those before the C library's.
 */
function signalHandlerEnd(stack: readonly ParsedFrame[]): number {
  if (stack[0]?.function !== '__sanitizer_print_stack_trace') return 0;
  const deepest = 6;
  const trampoline = stack
    .slice(1, deepest)
    .findIndex((frame) => isListed(frame, 'c') && !isEngine(frame));
  return trampoline + 1;
}

function crashFrame(frame: ParsedFrame, isOwn: boolean): CrashFrame {
  const { file, line, module, offset } = frame;
  const name =
    frame.function === '' && module !== ''
      ? `${module}${offset === '' ? '' : `+${offset}`}`
      : frame.function;
  return { function: name, file, line, module, offset, isOwn };
}
