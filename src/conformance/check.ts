import { Breach } from './findings.js';
import type { OfferedJob } from './jobs.js';
import type { Rule } from './rules.js';
import { inSeconds, type Stage } from './stage.js';

/** A story that a bot has to play its part in. It begins with a bot that is free and connected. */
export interface Check {
  readonly rule: Rule;
  /** @throws Breach with what the bot got wrong, Skip with why it cannot be checked */
  run(stage: Stage): Promise<void>;
}

/**
 * The bot has deleted the run: no beat names its lease any more, and no result comes.
 *
 * @param after what the bot was sent, for people
 */
export async function expectGone(stage: Stage, job: OfferedJob, after: string): Promise<void> {
  const { stream } = stage;
  const results = job.dones.length;
  // What the bot sent before it had heard arrives with the first beats.
  await stage.beats(2);
  const sure = stream.beats.length;
  await stage.until(
    () => !job.isNamed && stream.beats.length > sure,
    () => {
      const goesOn = `its beats still name the lease ${inSeconds(stage.options.waitMs)} after ${after}`;
      return job.executions > 0 ? `${goesOn}, with ${job.executions} executions` : goesOn;
    },
  );
  await stage.beats(1);
  const late = job.dones.slice(results).filter(({ beats }) => beats > sure);
  if (late.length > 0) throw new Breach(`it sent JobDone after ${after}`);
}

/** The first result of a job, when it is there. */
export async function resultOf(
  stage: Stage,
  job: OfferedJob,
  { after, mostMs = stage.options.waitMs }: { after: string; mostMs?: number },
) {
  await stage.until(
    () => job.dones.length > 0,
    () => {
      const nothing = `no JobDone came within ${inSeconds(mostMs)} after ${after}`;
      return job.isNamed
        ? `${nothing}, and its beats still name the lease, with ${job.executions} executions`
        : nothing;
    },
    mostMs,
  );
  return job.dones[0];
}
