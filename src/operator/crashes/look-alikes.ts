import type { Crash, CrashGroup, StackFrame } from '../../gen/pandafuzz/v1/crash.js';

/** One row of a list: what it shows anyhow, and what it can show besides. */
interface Row {
  /** Rows with the same key look alike. */
  readonly key: string;
  readonly base: string;
  /** What may tell it from its look-alikes, the plainest first. */
  readonly more: readonly string[];
}

/** Where each group crashed: its function, and among look-alikes what tells them apart. */
export const groupPlaces = (groups: readonly CrashGroup[]): string[] =>
  toldApart(
    groups.map(({ kind, topFrame, message, project, targetName, frames }) => {
      const base = placeOf(topFrame, message);
      const [first, second, third] = frames;
      const more = [lineOf(first), below(second), lineOf(second), message, below(third)];
      return { key: [kind, base, project, targetName].join('\n'), base, more };
    }),
  );

/** The same for single crashes, whose lists have no lines. */
export const crashPlaces = (crashes: readonly Crash[]): string[] =>
  toldApart(
    crashes.map(({ kind, topFrame, message, targetName, frames }) => {
      const base = placeOf(topFrame, message);
      const more = [message, ...frames.slice(1, 4).map((name) => `< ${name}`)];
      return { key: [kind, base, targetName].join('\n'), base, more };
    }),
  );

/** The innermost function, or the message where there is none. */
const placeOf = (topFrame: string, message: string) =>
  topFrame !== 'unknown' && topFrame !== '' ? topFrame : message || 'unknown';

/** "png.c:41" */
export function lineOf(frame: StackFrame | undefined): string {
  if (!frame?.file) return '';
  const file = frame.file.split(/[/\\]/).at(-1) ?? '';
  return frame.line > 0 ? `${file}:${frame.line}` : file;
}

const below = (frame: StackFrame | undefined) => (frame?.function ? `< ${frame.function}` : '');

function toldApart(rows: readonly Row[]): string[] {
  const alike = Map.groupBy(rows, (row) => row.key);
  return rows.map((row) => {
    const others = alike.get(row.key) ?? [];
    return [row.base, ...telling(others).map((index) => row.more[index] ?? '')]
      .filter((text) => text !== '')
      .join(' ');
  });
}

/** As few of what rows can show besides as tells them all apart. */
function telling(alike: readonly Row[]): number[] {
  const chosen: number[] = [];
  const distinct = (indices: readonly number[]) =>
    new Set(alike.map(({ more }) => indices.map((index) => more[index]).join('\n'))).size;
  for (const index of alike[0]?.more.keys() ?? []) {
    const reached = distinct(chosen);
    if (reached === alike.length) break;
    if (distinct([...chosen, index]) > reached) chosen.push(index);
  }
  return chosen;
}
