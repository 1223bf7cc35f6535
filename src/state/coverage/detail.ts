import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ValidationError } from '../../core/errors.js';
import { CoverageDetail } from '../../gen/pandafuzz/v1/coverage_service.js';

/** Of a CoverageDetail, bytes. */
const mostBytes = 4 * 2 ** 20;
/** Lines with code. */
const mostLines = 300_000;
const longestFile = 10_000_000;

/** The lines of a file, as a report has them. */
export interface FileLines {
  /** Times that each line with code ran, by its number, in order. */
  readonly counts: ReadonlyMap<number, number>;
  readonly source: string | undefined;
  /** '': there is none. */
  readonly sourceSha256: string;
}

/** @throws ValidationError for what is no detail */
export async function readDetail(gzip: Buffer, path: string): Promise<FileLines> {
  const refuse = (problem: string) => new ValidationError({ violations: [{ path, problem }] });
  const bytes = await promisify(gunzip)(gzip, { maxOutputLength: mostBytes }).catch(() => {
    throw refuse(`must be gzip of at most ${mostBytes} bytes`);
  });
  const { steps, counts, source } = decoded(bytes) ?? {};
  if (!steps || !counts) throw refuse('must be a CoverageDetail');
  const isFine =
    steps.length === counts.length &&
    steps.length <= mostLines &&
    steps.every((step) => step > 0) &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    steps.reduce((sum, step) => sum + step, 0) <= longestFile &&
    (source === undefined || source.isWellFormed());
  if (!isFine) throw refuse('must have a count for each line, and lines that rise');
  const lines = new Map<number, number>();
  let number = 0;
  for (const [index, step] of steps.entries()) {
    number += step;
    lines.set(number, counts[index] ?? 0);
  }
  const sourceSha256 =
    source === undefined ? '' : createHash('sha256').update(source).digest('hex');
  return { counts: lines, source, sourceSha256 };
}

function decoded(bytes: Buffer): CoverageDetail | undefined {
  try {
    return CoverageDetail.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A detail that was checked when it came. */
export const storedDetail = (base64: string): Promise<FileLines> =>
  readDetail(Buffer.from(base64, 'base64'), 'detail');

/** Lines that ran. */
export function coveredOf({ counts }: FileLines): number {
  let covered = 0;
  for (const count of counts.values()) if (count > 0) covered += 1;
  return covered;
}

/** Lines that ran now and not before, and the other way round. */
export function changeOf(
  now: FileLines,
  before: FileLines | undefined,
): { newLines: number; lostLines: number } {
  let [newLines, lostLines] = [0, 0];
  for (const [number, count] of now.counts) {
    const earlier = before?.counts.get(number) ?? 0;
    if (count > 0 && earlier === 0) newLines += 1;
    else if (count === 0 && earlier > 0) lostLines += 1;
  }
  return { newLines, lostLines };
}
