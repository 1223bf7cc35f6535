/** Longest cycle that is looked for, frames. */
const longestCycle = 16;
/** Frames that may stand above a recursion: where the stack ended is chance. */
const mostLeaves = 16;
/** A cycle counts once it was run through this often. */
const fewestRounds = 3;

/**
 * The smallest cycle of calls near the top of a stack, begun at its smallest name,
 * so that it does not depend on where the stack ran out; undefined if there is none.
 */
export function smallestCycle(names: readonly string[]): string[] | undefined {
  for (let length = 1; length <= longestCycle; length++) {
    for (let from = 0; from <= mostLeaves; from++) {
      if (isPeriodic(names, from, length)) return rotated(names.slice(from, from + length));
    }
  }
  return undefined;
}

function isPeriodic(names: readonly string[], from: number, length: number): boolean {
  const end = from + length * fewestRounds;
  if (end > names.length) return false;
  for (let i = from + length; i < end; i++) if (names[i] !== names[i - length]) return false;
  return true;
}

function rotated(cycle: readonly string[]): string[] {
  const rotations = cycle.map((_, i) => [...cycle.slice(i), ...cycle.slice(0, i)]);
  return rotations.reduce((least, next) => (next.join('\n') < least.join('\n') ? next : least));
}

/** `names` with calls of itself, direct or through others, counted once. */
export function collapsed(names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < names.length; at++) {
    kept.push(names[at] as string);
    for (let length = 1; length <= longestCycle && length <= kept.length; length++) {
      if (repeats(names, at + 1, kept, length)) {
        at += length;
        length = 0;
      }
    }
  }
  return kept;
}

/** Whether the next `length` names are the last ones kept, once more. */
function repeats(
  names: readonly string[],
  from: number,
  kept: readonly string[],
  length: number,
): boolean {
  if (from + length > names.length) return false;
  for (let i = 0; i < length; i++)
    if (names[from + i] !== kept[kept.length - length + i]) return false;
  return true;
}
