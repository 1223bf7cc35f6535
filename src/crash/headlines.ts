import { formats } from './formats/all.js';
import type { Format, Headline } from './formats/format.js';

export interface FoundHeadline extends Headline {
  readonly format: Format;
}

/** What a report is about: the cause if there is one, and the signal that it led to. */
export interface Chosen {
  readonly headline: FoundHeadline;
  /** The signal or exit that `headline` explains; its stack may be the better one. */
  readonly ending?: FoundHeadline;
  /** Line of the next headline, where a mere warning's stack must end. */
  readonly next: number;
}

const hints = new RegExp(formats.map(({ hint }) => `(?:${hint.source})`).join('|'));
/** gdb prints arguments, which may be the text of a message. */
const frame = /^\s{0,8}#\d{1,5} {1,4}(?:0x[0-9a-f]{1,16} in |[^\s(]{1,512} \()/;
/** Lines that are looked at closely, from either end of a report that is full of them. */
const mostAtEitherEnd = 1000;

/** Every line that a format takes for its headline. */
export function findHeadlines(lines: readonly string[]): FoundHeadline[] {
  const likely: number[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.length >= 8 && hints.test(line) && !frame.test(line)) likely.push(at);
  }
  likely.splice(mostAtEitherEnd, Math.max(0, likely.length - 2 * mostAtEitherEnd));
  return likely.flatMap((at) => readHeadline(lines, at) ?? []);
}

function readHeadline(lines: readonly string[], at: number): FoundHeadline | undefined {
  const line = lines[at] as string;
  for (const format of formats) {
    const headline = format.hint.test(line) ? format.headline(lines, at) : undefined;
    if (headline) return { ...headline, format };
  }
  return undefined;
}

/** Of several headlines the one that explains the crash. */
export function chooseHeadline(found: readonly FoundHeadline[]): Chosen | undefined {
  const ending = found.find(({ rank }) => rank === 'signal');
  const error = found.find(({ rank }) => rank === 'error');
  // A process that dies by a signal may time out while it prints its stack.
  if (error && (!ending || error.at < ending.at)) return chosen(found, error);
  const cause = nearest(found, 'cause', ending) ?? hintFor(found, ending);
  if (cause) return chosen(found, cause, ending);
  const rest = ending ?? found.find(({ rank }) => rank === 'leftover');
  return rest && chosen(found, rest);
}

/** The last one before the ending: earlier ones were survived. Outputs may be out of order. */
function nearest(
  found: readonly FoundHeadline[],
  rank: FoundHeadline['rank'],
  ending: FoundHeadline | undefined,
): FoundHeadline | undefined {
  const all = found.filter((headline) => headline.rank === rank);
  return all.findLast((headline) => !ending || headline.at < ending.at) ?? all[0];
}

/** A fault of memory is explained by itself, whatever was logged before. */
function hintFor(found: readonly FoundHeadline[], ending: FoundHeadline | undefined) {
  if (ending && !ending.isDeliberate && ending.kind !== 'deadly-signal') return undefined;
  return nearest(found, 'hint', ending);
}

function chosen(
  found: readonly FoundHeadline[],
  headline: FoundHeadline,
  ending?: FoundHeadline,
): Chosen {
  const next = found.find(({ at }) => at > headline.at)?.at ?? Number.MAX_SAFE_INTEGER;
  return { headline, next, ...(ending && { ending }) };
}
