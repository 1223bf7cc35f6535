import type { Browser, Page } from 'playwright-core';

/** A task of a page's main thread. */
export interface Task {
  /** From its begin to its end; on a busy machine with times in which others had the core. */
  readonly wallMs: number;
  /** What the thread itself used. */
  readonly cpuMs: number;
  /** What it did, the most expensive first: names of Chromium's trace, and milliseconds of CPU. */
  readonly parts: string;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const begin = 'pandafuzz: from here';
const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8'];

/** Tasks of the tab's main thread from now until `work` is done, those of most CPU first. */
export async function tasksDuring(
  browser: Browser,
  tab: Page,
  work: () => Promise<void>,
): Promise<Task[]> {
  await browser.startTracing(undefined, { categories });
  await tab.evaluate(`console.timeStamp('${begin}')`);
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const own = ofThread(traceEvents);
  return own
    .filter(({ name }) => name === taskName)
    .map((task) => ({
      wallMs: (task.dur ?? 0) / 1000,
      cpuMs: (task.tdur ?? 0) / 1000,
      parts: partsOf(task, own),
    }))
    .sort((a, b) => b.cpuMs - a.cpuMs);
}

const taskName = 'RunTask';
/** The same from a layer below. */
const sameTask = 'ThreadControllerImpl::RunTask';

/** Whole events of the thread that set the mark, from then on. */
function ofThread(all: readonly TraceEvent[]): TraceEvent[] {
  const mark = all.find(({ name, args }) => name === 'TimeStamp' && isBegin(args['data']));
  if (!mark) throw new Error('the trace has no mark of its begin');
  const isOwn = ({ pid, tid, ts, ph }: TraceEvent) =>
    ph === 'X' && pid === mark.pid && tid === mark.tid && ts > mark.ts;
  return all.filter(isOwn);
}

const isBegin = (data: unknown) => (data as { message?: string } | undefined)?.message === begin;

/** Shortest part that is worth a word, milliseconds. */
const leastMs = 1;

function partsOf(task: TraceEvent, all: readonly TraceEvent[]): string {
  const end = task.ts + (task.dur ?? 0);
  const sums = new Map<string, number>();
  for (const one of all) {
    if (one.ts < task.ts || one.ts >= end) continue;
    if (one.name === taskName || one.name === sameTask) continue;
    sums.set(one.name, (sums.get(one.name) ?? 0) + (one.tdur ?? 0) / 1000);
  }
  return [...sums]
    .filter(([, ms]) => ms >= leastMs)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
    .join(', ');
}
