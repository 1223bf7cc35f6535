import type { EngineProgress } from '../engine.js';

/** Stands in each status line of libafl_libfuzzer. */
export const libAflMark = Buffer.from(', executions: ');

/** "[Testcase #0] (GLOBAL) run time: 3s, clients: 1, corpus: 7, objectives: 28, executions: 22805, exec/sec: 5.742k" */
const statusLine = /\(GLOBAL\) run time: .*?, corpus: (\d{1,15}), .*?executions: (\d{1,15}),/;
const edges = /\bedges: (\d{1,15})\//;

/**
 * Progress with the figures of a status line of libafl_libfuzzer, which takes libFuzzer's
 * flags and prints lines of its own; undefined for another line.
 */
export function libAflProgress(line: string, before: EngineProgress): EngineProgress | undefined {
  const [, corpus, executions] = statusLine.exec(line) ?? [];
  if (corpus === undefined || executions === undefined) return undefined;
  const coverage = Number(edges.exec(line)?.[1] ?? 0);
  return {
    ...before,
    executions: Math.max(before.executions, Number(executions)),
    corpusFiles: Math.max(before.corpusFiles, Number(corpus)),
    coverage: Math.max(before.coverage, coverage),
    isFuzzing: before.isFuzzing || Number(executions) > 0,
    isSilent: false,
  };
}
