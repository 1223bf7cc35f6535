import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One engine in the table of speeds. */
export interface Row {
  /** As JobSpec.engine names it. */
  readonly engine: string;
  /** A program that must be on the PATH. */
  readonly needs: string;
  /** Builds `test/speed/steady.c`, or another target, at `out`. */
  build(out: string): readonly string[];
  /** The engine by hand, as its documentation has it: fuzzes for so long, then ends. */
  bare(run: BareRun): readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the job under the bot. */
  readonly arguments?: readonly string[];
  /** Executions of a run by hand that has ended. */
  executions(run: BareRun, output: string): number;
}

export interface BareRun {
  readonly target: string;
  /** Folder of seeds, with one in it. */
  readonly seeds: string;
  /** A folder of the run's own, empty. */
  readonly folder: string;
  readonly seconds: number;
}

const source = 'test/speed/steady.c';

export const rows: readonly Row[] = [
  {
    engine: 'libfuzzer',
    needs: 'clang',
    build: (out) => ['clang', '-g', '-O1', '-fsanitize=fuzzer,address', source, '-o', out],
    bare: ({ target, seeds, folder, seconds }) => [
      target,
      `-max_total_time=${seconds}`,
      '-print_final_stats=1',
      folder,
      seeds,
    ],
    executions: (_run, output) =>
      Number(/stat::number_of_executed_units: +(\d+)/.exec(output)?.[1] ?? 0),
  },
  {
    engine: 'aflplusplus',
    needs: 'afl-fuzz',
    build: (out) => ['afl-clang-fast', '-g', '-O1', '-fsanitize=fuzzer', source, '-o', out],
    bare: ({ target, seeds, folder, seconds }) => {
      const folders = ['-i', seeds, '-o', join(folder, 'out')];
      return ['afl-fuzz', '-M', 'main', ...folders, '-V', String(seconds), '--', target];
    },
    environment: {
      AFL_NO_UI: '1',
      AFL_SKIP_CPUFREQ: '1',
      AFL_NO_AFFINITY: '1',
      AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES: '1',
    },
    executions: ({ folder }) => {
      const stats = readFileSync(join(folder, 'out', 'main', 'fuzzer_stats'), 'utf8');
      return Number(/^execs_done *: *(\d+)/m.exec(stats)?.[1] ?? 0);
    },
  },
  {
    engine: 'honggfuzz',
    needs: 'honggfuzz',
    build: (out) => [
      ...['clang', '-g', '-O1', '-fno-builtin', source],
      '-fsanitize-coverage=trace-pc-guard,trace-cmp,trace-div,indirect-calls',
      '-Wl,-u,LIBHFUZZ_module_instrument',
      '-Wl,-u,LIBHFUZZ_module_memorycmp',
      ...['.tools/honggfuzz/libhfuzz.a', '.tools/honggfuzz/libhfcommon.a'],
      ...['-lpthread', '-ldl', '-lrt', '-lm', '-o', out],
    ],
    bare: ({ target, seeds, folder, seconds }) => [
      ...['honggfuzz', '-i', seeds, '--output', folder, '-W', folder, '-n', '1', '-v'],
      ...['--run_time', String(seconds), '-P', '--', target],
    ],
    executions: (_run, output) => Number(/^Summary iterations:(\d+)/m.exec(output)?.[1] ?? 0),
  },
  {
    engine: 'gofuzz',
    needs: 'go',
    build: (out) => ['cp', '.tools/gofuzz/planted.test', out],
    arguments: ['-test.fuzz=^FuzzSteady$'],
    bare: ({ target, folder, seconds }) => [
      ...[target, '-test.run=^$', '-test.fuzz=^FuzzSteady$', `-test.fuzzcachedir=${folder}/cache`],
      ...[`-test.fuzztime=${seconds}s`, '-test.parallel=1'],
    ],
    executions: (_run, output) => largest(output, /, execs: (\d+) /g),
  },
  {
    engine: 'command',
    needs: 'sh',
    // It only counts: what the bot costs beside it is all there is.
    build: (out) => ['cp', 'test/speed/counting-engine.sh', out],
    bare: ({ target, folder, seconds }) => [
      ...['env', `PANDAFUZZ_SECONDS=${seconds}`, `PANDAFUZZ_CORPUS=${folder}`, target, 'fuzz'],
    ],
    executions: (_run, output) => largest(output, /executions=(\d+)/g),
  },
];

function largest(output: string, pattern: RegExp): number {
  return Math.max(0, ...[...output.matchAll(pattern)].map(([, count]) => Number(count)));
}
