import type { Coverage } from '../engine.js';

/** What honggfuzz writes of its progress. */
export interface HonggfuzzFigures {
  readonly executions: number;
  readonly coverage: number;
  readonly corpusFiles: number;
}

export const noFigures: HonggfuzzFigures = { executions: 0, coverage: 0, corpusFiles: 0 };

/** Columns of the file of figures, counted from 0. */
const column = { executions: 2, edges: 7, blocks: 8, corpus: 9 } as const;

/**
 * Reads the last whole line of the file of figures: "unix_time, last_cov_update, total_exec,
 * exec_per_sec, crashes, unique_crashes, hangs, edge_cov, block_cov, corpus_count".
 *
 * @param tail its last bytes
 */
export function readFigures(tail: string): HonggfuzzFigures {
  const line = tail.split('\n').slice(0, -1).at(-1) ?? '';
  const values = line.split(',').map((text) => Number(text.trim()));
  if (values.length <= column.corpus || values.some((value) => !Number.isFinite(value))) {
    return noFigures;
  }
  const of = (at: number) => values[at] ?? 0;
  return {
    executions: of(column.executions),
    coverage: of(column.edges) + of(column.blocks),
    corpusFiles: of(column.corpus),
  };
}

/**
 * Reads what all inputs of a merge covered: of the last line about one that covered something,
 * the sums of instructions, branches, hits, edges, places and compared values "(i/b/h/e/p/c)".
 *
 * @returns undefined where it did not come to its end
 */
export function readCovered(output: string): Coverage | undefined {
  const sums = [...output.matchAll(/ Cur:(\d{1,15}(?:\/\d{1,15}){5})\s*$/gm)].at(-1)?.[1];
  if (sums === undefined || !/^Entering phase 3\/3/m.test(output)) return undefined;
  const [, blocks = 0, , edges = 0, , compared = 0] = sums.split('/').map(Number);
  return { coverage: blocks + edges, features: compared };
}

/**
 * The block of honggfuzz's report about one crash, from "CRASH:" to its end.
 *
 * @param report the report, or its last bytes
 * @param fileName of the crash
 * @returns '' where there is none, or none that is whole
 */
export function blockOf(report: string, fileName: string): string {
  const named = report.lastIndexOf(`/${fileName}\n`);
  if (named < 0) return '';
  const begin = report.lastIndexOf('\nCRASH:\n', named);
  const end = report.indexOf('\n=====', named);
  return begin < 0 || end < 0 ? '' : `${report.slice(begin + 1, end)}\n`;
}
