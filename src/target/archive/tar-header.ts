import { TargetFault } from '../fault.js';

export const blockBytes = 512;

/** A header of a tar archive, as far as it matters here. */
export interface TarHeader {
  readonly path: Buffer;
  readonly linkTo: Buffer;
  readonly mode: number;
  readonly sizeBytes: number;
  /** One character, such as "0" for a file. */
  readonly type: string;
}

/**
 * Reads a header: of the old format, POSIX's (ustar) or GNU's.
 *
 * @throws TargetFault when it is none
 */
export function readTarHeader(block: Buffer): TarHeader {
  if (!hasItsChecksum(block)) {
    throw new TargetFault('the archive is damaged: what must be the header of an entry is none');
  }
  const type = String.fromCharCode(block[156] as number);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? textAt(block, 345, 155) : Buffer.alloc(0);
  const name = textAt(block, 0, 100);
  return {
    path: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    linkTo: textAt(block, 157, 100),
    mode: numberAt(block, 100, 8),
    sizeBytes: numberAt(block, 124, 12),
    type: type === '\0' || type === '7' ? '0' : type,
  };
}

function hasItsChecksum(block: Buffer): boolean {
  const given = numberAt(block, 148, 8);
  let sum = 0;
  let signedSum = 0;
  for (let at = 0; at < blockBytes; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] as number);
    sum += byte;
    signedSum += byte > 127 ? byte - 256 : byte; // as some old programs counted
  }
  return given === sum || given === signedSum;
}

/** Bytes up to the first zero. */
function textAt(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

/** An octal number, or GNU's binary one for values that do not fit. @returns NaN for neither */
function numberAt(block: Buffer, at: number, length: number): number {
  const first = block[at] as number;
  if (first === 0x80) {
    const wide = block.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(wide) ? wide : Number.NaN;
  }
  const text = block
    .toString('latin1', at, at + length)
    .replace(/[\0 ]+$/, '')
    .trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}
