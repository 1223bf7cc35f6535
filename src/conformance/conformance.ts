import { systemClock } from '../core/clock.js';
import type { RegisterBotRequest } from '../gen/pandafuzz/v1/bot_service.js';
import type { Check } from './check.js';
import { jobChecks } from './checks/jobs.js';
import { lastChecks, lineChecks, otherChecks } from './checks/line.js';
import { openingChecks, refusalChecks } from './checks/opening.js';
import { resultChecks } from './checks/results.js';
import { Breach, CutShort, type Finding, notAsked, Skip } from './findings.js';
import type { Rule } from './rules.js';
import { inSeconds, Stage, type StageOptions } from './stage.js';

/** In the order in which they are played. */
const checks: readonly Check[] = [
  ...openingChecks,
  ...jobChecks,
  ...resultChecks,
  ...lineChecks,
  ...otherChecks,
  ...refusalChecks,
  ...lastChecks,
];

/** Rules that are watched in every message: this check brings messages of all their kinds. */
const checkOfWatched: Rule = 'accept';

export interface ConformanceOptions extends StageOptions {
  /** Only these rules, and those that are watched in every message. Absent: all. */
  readonly only?: readonly Rule[] | undefined;
  readonly skip: readonly Rule[];
  /** For everything together, milliseconds. */
  readonly deadlineMs: number;
  /** A check begins. */
  readonly onCheck?: (rule: Rule) => void;
}

export interface Conformance {
  readonly bot: RegisterBotRequest | undefined;
  readonly engine: string;
  readonly findings: readonly Finding[];
}

/** Starts in a row that fail, after which the rest is left out. */
const mostFailedStarts = 2;

/**
 * Plays a master against a bot, which it starts anew where a check has left it in disorder.
 * However it ends, the bot is gone.
 *
 * @throws the reason of the signal, once it has aborted
 */
export async function checkConformance(options: ConformanceOptions): Promise<Conformance> {
  const late = new AbortController();
  const tooLate = new CutShort(`the ${inSeconds(options.deadlineMs)} of --deadline were over`);
  const timer = systemClock.schedule(options.deadlineMs, () => late.abort(tooLate));
  const onAbort = () => late.abort(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  const stage = new Stage({ ...options, signal: late.signal });
  let unseen = notAsked;
  try {
    await stage.master.start();
    unseen = (await play(stage, options)) ?? unseen;
  } catch (error) {
    if (error !== tooLate) throw error;
    unseen = tooLate.message;
  } finally {
    timer.cancel();
    options.signal.removeEventListener('abort', onAbort);
    await stage.end();
  }
  return { bot: stage.bot, engine: stage.engine, findings: stage.findings.all(unseen) };
}

/** @returns why the rest was left out, if it was */
async function play(stage: Stage, options: ConformanceOptions): Promise<string | undefined> {
  const { only, skip, onCheck } = options;
  const isWatched = (rule: Rule) => checks.every((check) => check.rule !== rule);
  const wanted = only?.map((rule) => (isWatched(rule) ? checkOfWatched : rule));
  let failedStarts = 0;
  for (const check of checks) {
    const { rule } = check;
    if ((wanted && !wanted.includes(rule)) || skip.includes(rule)) continue;
    onCheck?.(rule);
    try {
      await stage.ready();
      failedStarts = 0;
    } catch (error) {
      if (!(error instanceof CutShort) || stage.isAborted) throw error;
      failedStarts += 1;
      stage.findings.broken('register', error.message);
      if (failedStarts >= mostFailedStarts) return 'the bot did not get that far';
      continue;
    }
    await playOne(stage, check);
  }
  return undefined;
}

async function playOne(stage: Stage, { rule, run }: Check): Promise<void> {
  try {
    await run(stage);
    stage.findings.kept(rule);
  } catch (error) {
    if (stage.isAborted) throw error;
    if (error instanceof Skip) stage.findings.skipped(rule, error.message);
    else if (error instanceof Breach || error instanceof CutShort) {
      stage.findings.broken(rule, error.message);
    } else throw error;
  }
}
