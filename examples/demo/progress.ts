import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { CrashGroup } from '../../src/gen/pandafuzz/v1/crash.js';
import type { Job } from '../../src/gen/pandafuzz/v1/job.js';
import type { GetSystemStatsResponse } from '../../src/gen/pandafuzz/v1/system_service.js';
import { count, duration } from '../../src/operator/format.js';
import { jobTable } from '../../src/operator/views.js';
import type { PlantedBug } from './bugs.js';

export interface Situation {
  readonly elapsedMs: number;
  /** undefined while the master does not answer. */
  readonly stats: GetSystemStatsResponse | undefined;
  readonly jobs: readonly Job[];
  readonly groups: readonly CrashGroup[];
  readonly bugs: readonly PlantedBug[];
}

export interface Progress {
  /** Something that happened: a line that stays. */
  note(line: string): void;
  /** How things stand. */
  show(situation: Situation): void;
  /** Leaves the last picture on the screen. */
  end(): void;
}

/** A live picture on a terminal; elsewhere a line every few seconds, and one for each news. */
export function createProgress(): Progress {
  return process.stdout.isTTY ? livePicture() : plainLines();
}

function livePicture(): Progress {
  const area = createLogUpdate(process.stdout);
  return {
    note: (line) => area.persist(line),
    show: (situation) => area(picture(situation)),
    end: () => area.done(),
  };
}

const lineEveryMs = 5000;

function plainLines(): Progress {
  let nextAtMs = 0;
  return {
    note: (line) => console.log(line),
    show(situation) {
      if (situation.elapsedMs < nextAtMs) return;
      nextAtMs = situation.elapsedMs + lineEveryMs;
      console.log(headline(situation));
    },
    end() {},
  };
}

function headline({ elapsedMs, stats, groups, bugs, jobs }: Situation): string {
  if (!stats) return `${duration(elapsedMs)}: the master does not answer just now`;
  const found = bugs.filter((bug) => groups.some(bug.isFoundAs)).length;
  const executions = jobs.reduce((sum, job) => sum + (job.statistics?.executions ?? 0), 0);
  return (
    `${duration(elapsedMs)}: ${found} of ${bugs.length} bugs, ${stats.crashes} crashes, ` +
    `${stats.botsOnline} bots, ${count(executions)} executions, ` +
    `${count(stats.executionsPerSecond)}/s`
  );
}

function picture(situation: Situation): string {
  const bugs = situation.bugs.map((bug) => {
    const found = situation.groups.some(bug.isFoundAs);
    const mark = found ? styleText('green', '●') : styleText('dim', '○');
    return `  ${mark} ${bug.kind} in ${bug.function}`;
  });
  return ['', headline(situation), '', ...bugs, '', jobTable(situation.jobs, Date.now())].join(
    '\n',
  );
}
