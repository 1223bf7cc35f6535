import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import type { Check } from '../check.js';
import { expectGone, resultOf } from '../check.js';
import { Breach, Skip } from '../findings.js';
import { inSeconds } from '../stage.js';

/** What a bot takes, and how it begins. */

const accept: Check = {
  rule: 'accept',
  async run(stage) {
    const job = await stage.held();
    await stage.beats(2);
    if (!job.isNamed) throw new Breach('its beats no longer name a lease that nothing has ended');
  },
};

/** Bots with more slots are not filled. */
const mostFilled = 8;

const capacity: Check = {
  rule: 'capacity',
  async run(stage) {
    const { slots } = stage.master;
    if (slots > mostFilled) throw new Skip(`it has ${slots} slots`);
    for (let taken = 0; taken < slots; taken += 1) await stage.held();
    await stage.until(
      () => stage.stream.beats.at(-1)?.freeSlots === 0,
      `its beats have free slots, though ${slots} jobs run in ${slots} slots`,
    );
    const job = stage.offer();
    await stage.beats(3);
    if (job.acks > 0 || job.named > 0) throw new Breach('it took a job with no slot free');
    if (job.rejects.length > 0) {
      throw new Breach('it sent LeaseReject, which uses up an attempt: an offer lapses at no cost');
    }
  },
};

const reject: Check = {
  rule: 'reject',
  async run(stage) {
    const job = stage.offer({ engine: 'no-such-engine' });
    await stage.until(
      () => job.rejects.length > 0 || job.dones.length > 0,
      'neither LeaseReject nor JobDone came for a job whose engine it does not have',
    );
    const outcome = job.dones[0]?.value.result?.outcome;
    if (outcome === JobOutcome.COMPLETED) {
      throw new Breach('it reports a job as COMPLETED whose engine it does not have');
    }
  },
};

/** A job that ends by itself soon. */
export const short = { limits: { maxDurationSeconds: 1 } };
/** For such a job to end, besides the time for one step, milliseconds. */
export const shortMs = 20_000;

const download: Check = {
  rule: 'download',
  async run(stage) {
    const job = await stage.held({ ...short, breaks: 1 });
    const done = await resultOf(stage, job, {
      after: 'a download broke off half way',
      mostMs: stage.options.waitMs + shortMs,
    });
    const { outcome = JobOutcome.UNSPECIFIED, message } = done?.value.result ?? {};
    if (outcome !== JobOutcome.COMPLETED) {
      throw new Breach(
        `a job whose download broke off once ended as ${JobOutcome[outcome]}: ${message}`,
      );
    }
  },
};

const checksum: Check = {
  rule: 'checksum',
  async run(stage) {
    if (stage.options.target) throw new Skip('the target is not one of ours');
    const job = stage.offer({ ...short, isWrong: true });
    const mostMs = stage.options.waitMs + shortMs;
    await stage.until(
      () => job.dones.length > 0 || job.rejects.length > 0 || job.executions > 0,
      `no result came within ${inSeconds(mostMs)} for a target whose bytes are not those of its SHA-256`,
      mostMs,
    );
    const outcome = job.dones[0]?.value.result?.outcome;
    if (outcome === JobOutcome.COMPLETED || job.executions > 0) {
      throw new Breach('it ran a target whose bytes are not those of its SHA-256');
    }
  },
};

const crash: Check = {
  rule: 'crash',
  async run(stage) {
    if (stage.options.target) throw new Skip('the target is not one of ours');
    const { files } = stage.master;
    const refused = files.refusedCrashes;
    files.crashRefusals = 1;
    const job = await stage.held({
      crashes: true,
      limits: { maxDurationSeconds: 10, maxCrashes: 1 },
    });
    const mine = () => files.crashes.filter((one) => one === job);
    const mostMs = stage.options.waitMs + shortMs;
    const tries = () =>
      `its target crashes, and ReportCrash came ${files.refusedCrashes - refused} times`;
    await stage.until(
      () => mine().length > 0 || job.dones.length > 0,
      () => `${tries()} within ${inSeconds(mostMs)}`,
      mostMs,
    );
    if (mine().length === 0) {
      const why = files.refusedCrashes > refused ? ' after it was refused as UNAVAILABLE' : '';
      throw new Breach(`JobDone came, and the crash of its target was not reported${why}`);
    }
    await resultOf(stage, job, { after: 'a crash that ends the job was stored', mostMs });
    await expectGone(stage, job, 'JobDoneAck');
  },
};

export const jobChecks = [accept, capacity, reject, download, checksum, crash];
