import { failureOf, isNotFound } from '../../client/failure.js';
import { UserError } from '../../core/errors.js';
import { grouped } from '../../core/figures.js';
import { inProject } from '../../core/project.js';
import type {
  CoverageChange,
  CoverageReport,
  CoverageSums,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import { many } from '../crashes/describe.js';
import type { Flags } from '../session.js';

/** What every command about the coverage of one target is given. */
export interface CoverageFlags extends Flags {
  readonly project: string;
}

export interface CoverageKey {
  readonly project: string;
  readonly targetName: string;
}

export const coverageKey = ({ project }: CoverageFlags, targetName: string): CoverageKey => ({
  project,
  targetName,
});

/**
 * A call about the coverage of one target.
 *
 * @throws UserError where the master has no such thing, and what the call throws
 */
export async function about<T>({ project, targetName }: CoverageKey, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const isOther = !failureOf(error)?.message.includes('coverage build');
    if (!isNotFound(error) || isOther) throw error;
    const title = inProject(project, targetName);
    throw new UserError(
      `${title} has no coverage build: bring one with "pandafuzz coverage run ${targetName} ./PROGRAM"`,
    );
  }
}

/** "81.3 %"; "-" of nothing. */
export const share = (covered: number, all: number): string =>
  all === 0 ? '-' : `${((100 * covered) / all).toFixed(1)} %`;

/** "1,204 of 1,480 (81.3 %)". */
export const part = (covered: number, all: number): string =>
  `${grouped(covered)} of ${grouped(all)} (${share(covered, all)})`;

export const linesOf = (sums: CoverageSums | undefined): string =>
  part(sums?.coveredLines ?? 0, sums?.lines ?? 0);

/** "+12 -3"; "-" where nothing could be compared. */
export const changeOf = (change: CoverageChange | undefined): string =>
  change ? `+${grouped(change.newLines)} -${grouped(change.lostLines)}` : '-';

/** What a report says beside the one before, as a sentence. */
export function comparison({ change, filesNotCompared }: CoverageReport): string {
  if (!change) return 'the first report';
  const { newLines, lostLines } = change;
  const lines = `${many(newLines, 'line')} new, ${grouped(lostLines)} lost`;
  if (filesNotCompared === 0) return lines;
  return `${lines}; not compared, as the source has changed: ${many(filesNotCompared, 'file')}`;
}
