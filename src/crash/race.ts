import { goStack } from './formats/go.js';
import type { ParsedFrame } from './stacks/frame.js';
import { readStack } from './stacks/stack.js';

const previous = /^\s{0,8}Previous (?:atomic )?(?:read|write) (?:of|at) /i;
/** Lines of a report of a race. */
const mostLines = 400;

/** The stack of the access that a race's first stack met; undefined if it is not there. */
export function otherSide(
  lines: readonly string[],
  at: number,
): readonly ParsedFrame[] | undefined {
  const near = lines.slice(at + 1, at + 1 + mostLines);
  const header = near.findIndex((line) => previous.test(line));
  if (header < 0) return undefined;
  const from = at + 1 + header + 1;
  const isGo = (lines[at] as string).includes('DATA RACE');
  const frames = isGo ? goStack(lines, from) : readStack(lines, from).frames;
  return frames.length > 0 ? frames : undefined;
}
