import { type Access, readAccess } from './access.js';
import type { CrashDescription, CrashFrame, FrameList } from './description.js';
import { isListed } from './frames/all.js';
import { FrameMatcher } from './frames/list.js';
import { type Chosen, chooseHeadline, type FoundHeadline, findHeadlines } from './headlines.js';
import { languageOf } from './language.js';
import { readLines } from './lines.js';
import { normalizeMessage } from './message.js';
import { baseName, functionName } from './names.js';
import { type OwnStack, ownFrames } from './own.js';
import { otherSide } from './race.js';
import { judgeSecurity } from './security.js';
import type { ParsedFrame } from './stacks/frame.js';
import { readStack } from './stacks/stack.js';

export type { CrashDescription, CrashFrame, FrameList } from './description.js';

export interface ReadOptions {
  /** Name of the target: stacks without symbols may have it where a function stands. */
  readonly target?: string;
  /** Frames that the project passes over, besides the known ones. */
  readonly project?: FrameList;
}

const longestKind = 128;

/**
 * Reads what an engine, a sanitizer or a language's runtime wrote about a crash.
 * Takes any text, and never throws; its cost grows with the length alone.
 */
export function readCrashReport(report: string, options: ReadOptions = {}): CrashDescription {
  const lines = readLines(report);
  const chosen = chooseHeadline(findHeadlines(lines));
  const context: Context = {
    target: options.target ?? '',
    ...(options.project && { project: new FrameMatcher(options.project) }),
  };
  return describe(lines, chosen, findStack(lines, chosen, context), context);
}

interface Context {
  readonly target: string;
  readonly project?: FrameMatcher;
}

interface FoundStack extends OwnStack {
  readonly language: string;
}

/** The first stack with frames of the target's own, of those that may belong to the headline. */
function findStack(
  lines: readonly string[],
  chosen: Chosen | undefined,
  context: Context,
): FoundStack {
  let best: FoundStack | undefined;
  for (const stack of candidates(lines, chosen)) {
    const parsed = stack();
    if (parsed.length === 0) continue;
    const found = own(parsed, chosen?.headline, context);
    if (found.stack.some((frame) => frame.isOwn)) return found;
    best ??= found;
  }
  return best ?? { stack: [], frames: [], language: chosen?.headline.language ?? 'unknown' };
}

function own(
  parsed: readonly ParsedFrame[],
  headline: FoundHeadline | undefined,
  context: Context,
): FoundStack {
  const language = headline?.language ?? languageOf(parsed);
  const { file, line } = headline ?? {};
  const { project, target } = context;
  const stack = ownFrames(
    parsed.map((frame) => (frame.function === target ? { ...frame, function: '' } : frame)),
    {
      language,
      isDeliberate: headline?.isDeliberate ?? false,
      ...(project && { project }),
      ...(file && line && { place: { file, line } }),
    },
  );
  return { ...stack, language };
}

function* candidates(
  lines: readonly string[],
  chosen: Chosen | undefined,
): Generator<() => readonly ParsedFrame[]> {
  if (!chosen) {
    yield () => readStack(lines, 0).frames;
    return;
  }
  const { headline, ending, next } = chosen;
  const { format } = headline;
  if (format.stack) yield () => format.stack?.(lines, headline) ?? [];
  if (ending) yield () => readStack(lines, ending.at + 1).frames;
  const isWarning = headline.rank === 'hint' && !ending;
  yield () =>
    readStack(lines, headline.at + 1, isWarning ? Math.min(next, lines.length) : lines.length)
      .frames;
  if (ending || headline.rank === 'cause' || headline.rank === 'signal') {
    yield () => readStack(lines, 0, headline.at).frames;
  }
  // Where another process symbolizes, the stack may come after the report's end.
  const end = lines.findIndex((line, i) => i > headline.at && line.startsWith('SUMMARY: '));
  if (end >= 0) yield () => readStack(lines, end + 1).frames;
}

function describe(
  lines: readonly string[],
  chosen: Chosen | undefined,
  found: FoundStack,
  context: Context,
): CrashDescription {
  const headline = chosen?.headline;
  const kind = (headline?.kind ?? 'unknown').slice(0, longestKind).toWellFormed();
  const message = normalizeMessage(headline?.message ?? '');
  const access: Access = headline ? readAccess(lines, headline.at, kind) : {};
  const frames = framesOf(found, headline);
  const other = /race/.test(kind) && headline ? otherSide(lines, headline.at) : undefined;
  return {
    kind,
    message,
    ...access,
    security: judgeSecurity(kind, access),
    language: found.language,
    format: headline?.format.name ?? (found.stack.length > 0 ? 'stack' : 'unknown'),
    frames,
    stack: found.stack,
    ...(other && { otherFrames: own(other, headline, context).frames }),
    topFrame: frames.find((frame) => frame.function !== '')?.function ?? 'unknown',
    isKnown: headline !== undefined || frames.length > 0,
  };
}

/** A check's place says more than a stack with nothing of the target on it. */
function framesOf(found: FoundStack, headline: FoundHeadline | undefined): readonly CrashFrame[] {
  if (found.frames.some((frame) => frame.isOwn)) return found.frames;
  const place = placeOnly(headline);
  const isOfLibrary = place.some((frame) => isListed({ ...frame, function: '' }, found.language));
  return place.length > 0 && (found.frames.length === 0 || !isOfLibrary) ? place : found.frames;
}

/** Without a stack, the place that the headline names: its function, or "file.cc:12". */
function placeOnly(headline: FoundHeadline | undefined): CrashFrame[] {
  if (!headline?.file) return [];
  const { file, line = 0 } = headline;
  const name = functionName(headline.function ?? '') || `${baseName(file)}:${line}`;
  const place = { file: file.slice(0, 1024).toWellFormed(), line, module: '', offset: '' };
  return [{ function: name.slice(0, 256).toWellFormed(), ...place, isOwn: true }];
}
