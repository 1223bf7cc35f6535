import { describe, expect, test } from '@jest/globals';
import { AflLog, plainText } from '../../../../src/bot/engines/aflplusplus/log.js';
import { readFuzzerStats, readPlotData } from '../../../../src/bot/engines/aflplusplus/stats.js';

const header =
  '# relative_time, cycles_done, cur_item, corpus_count, pending_total, pending_favs, map_size, saved_crashes, saved_hangs, max_depth, execs_per_sec, total_execs, edges_found';

describe("AFL++'s figures", () => {
  test('are read from fuzzer_stats', () => {
    const text =
      'run_time          : 12\nexecs_done        : 4182\nexecs_per_sec     : 330.70\ncorpus_count      : 8\npeak_rss_mb       : 31\nedges_found       : 10\n';
    expect(readFuzzerStats(text)).toEqual({
      executions: 4182,
      coverage: 10,
      queueFiles: 8,
      peakMemoryBytes: 31 * 2 ** 20,
    });
    expect(readFuzzerStats('').executions).toBe(0);
  });

  test('are read from the last whole line of plot_data', () => {
    const line = '65, 1, 2, 8, 0, 0, 76.92%, 1, 1, 1, 2127.13, 13581, 10\n';
    expect(readPlotData(header, `ore, 3\n${line}70, 1, 2`)).toMatchObject({
      executions: 13581,
      coverage: 10,
      queueFiles: 8,
    });
    expect(readPlotData(header, `${header}\n`).executions).toBe(0);
    expect(readPlotData(header, '').executions).toBe(0);
  });

  test('are read by the names of columns, wherever these are', () => {
    expect(readPlotData('# total_execs, edges_found', '7, 3\n')).toMatchObject({
      executions: 7,
      coverage: 3,
    });
  });
});

/** As AFL++ 4.04c prints it, here. */
const atStart = `\x1b[1;92m[+] \x1b[0mEnabled environment variable AFL_NO_UI with value 1\x1b[0m
\x1b[1;94m[*] \x1b[0mAttempting dry run with 'id:000000,time:0,execs:0,orig:seed-0'...\x1b[0m
\x1b[1;93m[!] \x1b[1;97mWARNING: \x1b[0mTest case results in a timeout (skipping)\x1b[0m
\x1b[1;94m[*] \x1b[0mAttempting dry run with 'id:000001,time:0,execs:0,orig:seed-1'...\x1b[0m
\x1b[1;93m[!] \x1b[1;97mWARNING: \x1b[0mTest case 'id:000001,time:0,execs:0,orig:seed-1' results in a crash, skipping\x1b[0m
`;

describe("AFL++'s log", () => {
  function read(...chunks: string[]): AflLog {
    const log = new AflLog();
    for (const chunk of chunks) log.push(Buffer.from(chunk));
    log.end();
    return log;
  }

  test('names seeds that crash or time out, in whatever pieces it comes', () => {
    const expected = [
      { name: 'seed-0', kind: 'timeout' },
      { name: 'seed-1', kind: 'crash' },
    ];
    expect(read(atStart).takeBadSeeds()).toEqual(expected);
    expect(read(...atStart.split(/(?<=.{7})/s)).takeBadSeeds()).toEqual(expected);
  });

  test('shows when it fuzzes, and that it came to its limit', () => {
    expect(read(atStart)).toMatchObject({ isFuzzing: false, isDone: false, hasPrinted: true });
    const fuzzing = '\x1b[1;94m[*] \x1b[0mEntering queue cycle 1.\x1b[0m\n';
    expect(read(fuzzing)).toMatchObject({ isFuzzing: true, isDone: false });
    const end = '+++ Testing aborted programmatically +++\n[!] Time limit was reached\n';
    expect(read(fuzzing, end)).toMatchObject({ isFuzzing: true, isDone: true });
    expect(read(fuzzing, '+++ Testing aborted by user +++\n').isDone).toBe(false);
  });

  test('has the reason for its end as its last words, without prose and colours', () => {
    const abort =
      '\x1b[1;91m[-] \x1b[0mLooks like the target binary is not instrumented!\n    The fuzzer depends on it.\n\x1b)B\x1b[?25h\x1b[0m\x1b[1;91m\n[-] PROGRAM ABORT : \x1b[1;97mNo instrumentation detected\x1b[1;91m\n         Location : \x1b[0mcheck_binary(), src/afl-fuzz-init.c:2793\n\n';
    expect(read(abort).lastWords).toBe(
      '[-] Looks like the target binary is not instrumented!\n[-] PROGRAM ABORT : No instrumentation detected',
    );
  });

  test('is bounded, also where a target prints without an end of line', () => {
    const log = new AflLog();
    for (let i = 0; i < 64; i++) log.push(Buffer.alloc(256 * 1024, 'x'));
    log.end();
    expect(log.lastWords.length).toBeLessThan(10_000);
  });

  test('keeps no control characters', () => {
    expect(plainText('\x1b[0;36mafl-fuzz++4.04c\x1b[0m\r')).toBe('afl-fuzz++4.04c');
  });
});
