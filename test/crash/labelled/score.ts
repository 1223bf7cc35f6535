import { readCrashReport } from '../../../src/crash/report.js';
import { crashSignature } from '../../../src/crash/signature.js';

/** One report and the number of the bug that it is of. */
export interface LabelledReport {
  readonly variant: string;
  readonly label: number;
  readonly input: string;
  readonly report: string;
}

export interface Score {
  readonly reports: number;
  readonly labels: number;
  readonly groups: number;
  /** Of pairs in one group, how many are of one bug. */
  readonly precision: number;
  /** Of pairs of one bug, how many are in one group. */
  readonly recall: number;
}

export interface Grouped extends LabelledReport {
  readonly signature: string;
}

/** The signature of each report that a reader can make something of. */
export function group(reports: readonly LabelledReport[], target: string): Grouped[] {
  return reports.flatMap((report) => {
    const crash = readCrashReport(report.report);
    return crash.isKnown ? [{ ...report, signature: crashSignature(crash, { target }) }] : [];
  });
}

/** Pairwise precision and recall of signatures against labels. */
export function score(grouped: readonly Grouped[]): Score {
  const bySignature = counts(grouped, (one) => one.signature);
  const byLabel = counts(grouped, (one) => `${one.label}`);
  const together = pairs(counts(grouped, (one) => `${one.label}\n${one.signature}`));
  return {
    reports: grouped.length,
    labels: byLabel.size,
    groups: bySignature.size,
    precision: together / pairs(bySignature),
    recall: together / pairs(byLabel),
  };
}

function counts(grouped: readonly Grouped[], key: (one: Grouped) => string): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of grouped) found.set(key(one), (found.get(key(one)) ?? 0) + 1);
  return found;
}

function pairs(sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const size of sizes.values()) sum += (size * (size - 1)) / 2;
  return sum;
}
