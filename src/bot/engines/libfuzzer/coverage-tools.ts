import { answerOf } from '../../sandbox/answer.js';
import { findProgram } from '../../sandbox/programs.js';

/** LLVM's tools that make a report of source coverage, both of one version. */
export interface CoverageTools {
  /** Path of llvm-profdata. */
  readonly profdata: string;
  /** Path of llvm-cov. */
  readonly cov: string;
  /** E.g. "14.0.6". */
  readonly version: string;
}

/** For a tool to print its version, milliseconds. */
const answerMs = 5000;
/** Versions that are looked for by name, as Debian has them: "llvm-cov-14". */
const newest = 50;
const oldest = 11;

/**
 * The tools that this machine has, those without a version in their names first. Both are needed,
 * and llvm-cov has to answer.
 */
export async function findCoverageTools(path: string): Promise<CoverageTools[]> {
  const suffixes = [''];
  for (let version = newest; version >= oldest; version--) suffixes.push(`-${version}`);
  const pairs = suffixes.flatMap((suffix) => {
    const cov = findProgram([`llvm-cov${suffix}`], path);
    const profdata = findProgram([`llvm-profdata${suffix}`], path);
    return cov && profdata ? [{ cov, profdata }] : [];
  });
  const found: CoverageTools[] = [];
  for (const pair of pairs) {
    const version = await versionOf(pair.cov);
    if (version && !found.some((known) => known.version === version)) {
      found.push({ ...pair, version });
    }
  }
  return found;
}

async function versionOf(cov: string): Promise<string | undefined> {
  const answer = await answerOf(cov, ['--version'], answerMs);
  return /LLVM version (\d+[\w.]{0,30})/.exec(answer)?.[1];
}

/**
 * Those for a build: a profile is read by the version of LLVM that wrote it alone.
 *
 * @param compiler e.g. "clang 14.0.6"; '' if unknown
 */
export function toolsFor(
  tools: readonly CoverageTools[],
  compiler: string,
): CoverageTools | undefined {
  const major = majorOf(compiler);
  return tools.find(({ version }) => majorOf(version) === major) ?? tools[0];
}

/** "14" of "clang 14.0.6"; '' without a number. */
export const majorOf = (version: string): string => /\d+/.exec(version)?.[0] ?? '';
