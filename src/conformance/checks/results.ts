import type { JobDone, JobDoneAck } from '../../gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import { type Check, expectGone, resultOf } from '../check.js';
import { Breach } from '../findings.js';
import type { OfferedJob } from '../jobs.js';
import { receipt } from '../master.js';
import { inSeconds, type Stage } from '../stage.js';
import { short, shortMs } from './jobs.js';

/** How attempts end: JobDone, its answers and refusals, and leases that end otherwise. */

const refusal = (reason: string, retryAfterMs: number): JobDoneAck['outcome'] => ({
  $case: 'refusal',
  value: { reason, message: 'as the check wishes', retryAfterMs },
});

/** A job that has ended by its limit, and what its JobDone was. */
async function ended(stage: Stage): Promise<OfferedJob> {
  const job = await stage.held(short);
  const mostMs = stage.options.waitMs + shortMs;
  const after = 'it took a job of 1 s';
  const done = await resultOf(stage, job, { after, mostMs });
  const { outcome = JobOutcome.UNSPECIFIED, message } = done?.value.result ?? {};
  if (outcome !== JobOutcome.COMPLETED) {
    throw new Breach(`a job that ran to its limit ended as ${JobOutcome[outcome]}: ${message}`);
  }
  return job;
}

/** Beats in which a result has to come again. */
const beatsToRepeat = 4;

const done: Check = {
  rule: 'done',
  async run(stage) {
    stage.master.manner.answerDone = () => undefined;
    const job = await ended(stage);
    const first = job.dones.length;
    await stage.beats(beatsToRepeat);
    if (job.dones.length === first) {
      throw new Breach(
        `JobDone did not come again within ${beatsToRepeat} beats without an answer`,
      );
    }
    if (new Set(job.dones.map(({ value }) => textOf(value))).size > 1) {
      throw new Breach('it repeated JobDone with another result');
    }
    acknowledge(stage, job);
    await expectGone(stage, job, 'JobDoneAck');
  },
};

const doneAgain: Check = {
  rule: 'done-again',
  async run(stage) {
    const { master } = stage;
    master.manner.answerDone = () => undefined;
    const job = await ended(stage);
    const results = job.dones.length;
    const stream = await stage.streamAfterBreak();
    const names = stream.hello?.leases.some(({ jobId }) => jobId === job.lease.jobId);
    if (!names) throw new Breach('Hello does not name a lease whose result was not acknowledged');
    await stage.until(
      () => job.dones.length > results,
      `JobDone did not come again within ${inSeconds(stage.options.waitMs)} on the new stream`,
    );
    acknowledge(stage, job);
    await expectGone(stage, job, 'JobDoneAck');
  },
};

const retryAfterMs = 2500;

const retryAfter: Check = {
  rule: 'retry-after',
  async run(stage) {
    const { master } = stage;
    let refusedAtMs: number | undefined;
    master.manner.answerDone = () => {
      if (refusedAtMs !== undefined) return undefined;
      refusedAtMs = master.now();
      return refusal('UNAVAILABLE', retryAfterMs);
    };
    const job = await ended(stage);
    // What the bot sent before it had heard arrives with the first beats.
    await stage.beats(2);
    const early = job.dones.length;
    const since = refusedAtMs ?? master.now();
    await stage.until(
      () => job.dones.length > early,
      `JobDone did not come again after it was refused with retry_after_ms ${retryAfterMs}`,
      stage.options.waitMs + retryAfterMs,
    );
    const waitedMs = (job.dones[early]?.atMs ?? 0) - since;
    if (waitedMs < retryAfterMs) {
      throw new Breach(
        `it repeated JobDone ${inSeconds(waitedMs)} after a refusal with retry_after_ms ${retryAfterMs}`,
      );
    }
    acknowledge(stage, job);
    await expectGone(stage, job, 'JobDoneAck');
  },
};

const late: Check = {
  rule: 'late',
  async run(stage) {
    stage.master.manner.answerDone = (job) => {
      job.isLost = true;
      return refusal('STALE_LEASE', 0);
    };
    const job = await ended(stage);
    await expectGone(stage, job, 'its result was refused as STALE_LEASE');
  },
};

const cancel: Check = {
  rule: 'cancel',
  async run(stage) {
    const job = await stage.held();
    const { lease } = job;
    job.isCancelled = true;
    stage.stream.say({ $case: 'cancel', value: { lease } });
    await cancelled(stage, job, 'Cancel');
  },
};

const cancelByBeat: Check = {
  rule: 'cancel-by-beat',
  async run(stage) {
    const job = await stage.held();
    job.isCancelled = true;
    await cancelled(stage, job, 'a BeatAck with cancel_requested');
  },
};

async function cancelled(stage: Stage, job: OfferedJob, after: string): Promise<void> {
  await stage.until(
    () => job.cancelAcks > 0 || job.dones.length > 0,
    () =>
      job.isNamed
        ? `no CancelAck came within ${inSeconds(stage.options.waitMs)} after ${after}, and its beats still name the lease`
        : `no CancelAck came within ${inSeconds(stage.options.waitMs)} after ${after}`,
  );
  if (job.cancelAcks === 0)
    throw new Breach(`it answered ${after} with JobDone, without CancelAck`);
  if (job.dones.length === 0) await resultOf(stage, job, { after });
  const outcome = job.dones[0]?.value.result?.outcome ?? JobOutcome.UNSPECIFIED;
  if (outcome !== JobOutcome.CANCELLED) {
    throw new Breach(`a run that was cancelled ended as ${JobOutcome[outcome]}`);
  }
  await expectGone(stage, job, 'JobDoneAck');
}

const lost: Check = {
  rule: 'lost',
  async run(stage) {
    const job = await stage.held();
    job.isLost = true;
    await expectGone(stage, job, 'a BeatAck that gives the lease no time');
  },
};

function acknowledge(stage: Stage, job: OfferedJob): void {
  const { lease } = job;
  job.isOver = true;
  stage.master.manner.answerDone = receipt;
  stage.stream.say({ $case: 'jobDoneAck', value: { lease, outcome: receipt(job) } });
}

const textOf = ({ result }: JobDone) => `${result?.outcome} ${result?.message}`;

export const resultChecks = [done, doneAgain, retryAfter, late, cancel, cancelByBeat, lost];
