import { TargetFault } from '../fault.js';
import { mostDepth } from './bounds.js';

const slash = 0x2f;
/** Of Linux's file systems. */
const mostPartBytes = 255;

/** A path's bytes for a message: what is no plain text as "?". */
export const shown = (path: Uint8Array): string =>
  Buffer.from(path)
    .toString('utf8')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/g, '?')
    .slice(0, 200)
    .toWellFormed();

/**
 * The parts of a path in an archive, without those that mean nothing ("./a//b" is a, b).
 *
 * @throws TargetFault for a path that leads out of the archive, or that no file can have
 */
export function partsOf(path: Buffer): Buffer[] {
  if (path[0] === slash) throw leavesIt(path);
  if (path.includes(0)) throw new TargetFault('a path in the archive has a zero byte');
  const parts = split(path).filter((part) => part.length > 0 && !isDot(part));
  if (parts.some(isDotDot)) throw leavesIt(path);
  if (parts.length > mostDepth || parts.some((part) => part.length > mostPartBytes)) {
    throw new TargetFault(
      `${shown(path)}: at most ${mostDepth} folders within each other, and ${mostPartBytes} bytes in a name`,
    );
  }
  return parts;
}

/**
 * Whether a link in a folder stays inside of the archive. Its ".." may only come first: behind
 * another link they would lead elsewhere than they seem to.
 *
 * @param depth folders above the link
 */
export function staysInside(linkTo: Buffer, depth: number): boolean {
  if (linkTo.length === 0 || linkTo[0] === slash || linkTo.includes(0)) return false;
  const parts = split(linkTo).filter((part) => part.length > 0 && !isDot(part));
  const ups = parts.findIndex((part) => !isDotDot(part));
  const leading = ups === -1 ? parts.length : ups;
  return leading <= depth && !parts.slice(leading).some(isDotDot);
}

function split(path: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = path.indexOf(slash); at !== -1; at = path.indexOf(slash, from)) {
    parts.push(path.subarray(from, at));
    from = at + 1;
  }
  parts.push(path.subarray(from));
  return parts;
}

const isDot = (part: Buffer) => part.length === 1 && part[0] === 0x2e;
const isDotDot = (part: Buffer) => part.length === 2 && part[0] === 0x2e && part[1] === 0x2e;

const leavesIt = (path: Buffer) =>
  new TargetFault(
    `${shown(path)}: this path leads out of the archive: make it with relative paths`,
  );

/** `parts` below `folder`, as bytes. */
export const below = (folder: Buffer, parts: readonly Buffer[]): Buffer =>
  Buffer.concat([folder, ...parts.flatMap((part) => [Buffer.from('/'), part])]);
