import { status as Code } from '@grpc/grpc-js';
import { LogSource } from '../../gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import { type Check, expectGone } from '../check.js';
import { Breach, Skip } from '../findings.js';
import type { OfferedJob } from '../jobs.js';
import { inSeconds, type Stage } from '../stage.js';
import type { BotStream } from '../stream.js';

/** The stream itself: its end, drain, messages that are not known, and the bot's own end. */

/** The lease lives on with the new stream. */
async function expectResumed(stage: Stage, stream: BotStream, job: OfferedJob): Promise<void> {
  const names = stream.hello?.leases.some(({ jobId }) => jobId === job.lease.jobId);
  if (!names) throw new Breach('Hello on the new stream does not name the lease that it held');
  await stage.beats(2);
  const [done] = job.dones;
  if (done) {
    const { outcome = JobOutcome.UNSPECIFIED, message } = done.value.result ?? {};
    throw new Breach(`the run did not go on: it ended as ${JobOutcome[outcome]}: ${message}`);
  }
  if (!job.isNamed) throw new Breach('it gave the run up, though Welcome kept its lease');
}

const resume: Check = {
  rule: 'resume',
  async run(stage) {
    const job = await stage.held();
    const old = stage.stream;
    const stream = await stage.streamAfterBreak();
    if (stream.hello?.instanceId !== old.hello?.instanceId) {
      throw new Breach('Hello has another instance_id, though the process is the same');
    }
    await expectResumed(stage, stream, job);
  },
};

const restart: Check = {
  rule: 'restart',
  async run(stage) {
    const { master } = stage;
    const job = await stage.held();
    const before = master.streams.length;
    master.stop();
    await master.start();
    const stream = await stage.nextStream(before, stage.options.waitMs + 5000);
    await expectResumed(stage, stream, job);
  },
};

const notKept: Check = {
  rule: 'not-kept',
  async run(stage) {
    const job = await stage.held();
    job.isLost = true;
    await stage.streamAfterBreak();
    await expectGone(stage, job, 'Welcome did not keep the lease');
  },
};

const reconnectAfterMs = 2000;
/** For the bot to end its side of the stream after GoAway, milliseconds. */
const goodbyeMs = 500;

const goAway: Check = {
  rule: 'go-away',
  async run(stage) {
    const { master } = stage;
    const job = await stage.held();
    const before = master.streams.length;
    const { stream } = stage;
    const since = master.now();
    stream.say({ $case: 'goAway', value: { reason: 'restarting', reconnectAfterMs } });
    await stage.within(goodbyeMs, () => stream.isOver);
    stream.fail(Code.UNAVAILABLE, 'the master stops');
    const next = await stage.nextStream(before, stage.options.waitMs + reconnectAfterMs + 1000);
    const waitedMs = next.openedAtMs - since;
    if (waitedMs < reconnectAfterMs) {
      const why = `it came back ${inSeconds(waitedMs)} after GoAway with reconnect_after_ms ${reconnectAfterMs}`;
      throw new Breach(why);
    }
    await expectResumed(stage, next, job);
  },
};

const drain: Check = {
  rule: 'drain',
  async run(stage) {
    const { master } = stage;
    const job = await stage.held();
    master.manner.isDraining = true;
    stage.stream.say({ $case: 'drain', value: {} });
    await expectDrained(stage, 'Drain');
    await stage.streamAfterBreak();
    await expectDrained(stage, 'Drain on a new stream');
    if (!job.isNamed || job.dones.length > 0) throw new Breach('it ended a job because of Drain');
    master.manner.isDraining = false;
    stage.stream.say({ $case: 'resume', value: {} });
    await stage.until(
      () => (stage.stream.beats.at(-1)?.freeSlots ?? 0) > 0 || master.slots === 1,
      'its beats have no free slots after Resume',
    );
  },
};

async function expectDrained(stage: Stage, after: string): Promise<void> {
  const { stream } = stage;
  const waited = inSeconds(stage.options.waitMs);
  await stage.until(() => stream.drainAcks > 0, `no DrainAck came within ${waited} after ${after}`);
  await stage.beats(2);
  if (stream.beats.slice(stream.drainedAt + 1).some(({ freeSlots }) => freeSlots > 0)) {
    throw new Breach(`its beats have free slots after ${after}`);
  }
}

const log: Check = {
  rule: 'log',
  async run(stage) {
    const { stream } = stage;
    if (!stream.hello?.sendsLogs) throw new Skip('its Hello does not say that it sends logs');
    const requestId = 'conformance-1';
    const value = { requestId, source: LogSource.BOT, lease: undefined, offset: 0 };
    stream.say({ $case: 'readLog', value });
    await stage.until(() => stream.logParts.length > 0, 'no LogPart answered ReadLog');
    const [part] = stream.logParts;
    if (part?.requestId !== requestId) throw new Breach('LogPart has another request_id');
    if (part.data.length > 65_536) throw new Breach(`LogPart has ${part.data.length} bytes`);
  },
};

/** Field 99 of HeartbeatResponse, with an empty message in it. */
const unknownMessage = Buffer.from([0x9a, 0x06, 0x00]);

const unknown: Check = {
  rule: 'unknown',
  async run(stage) {
    const { stream } = stage;
    stream.sayBytes(unknownMessage);
    await stage.beats(3);
  },
};

/** Beats without an answer come 5 s apart at most, and three of them end the stream. */
const silenceMs = 20_000;

const silence: Check = {
  rule: 'silence',
  async run(stage) {
    const { master } = stage;
    const before = master.streams.length;
    master.manner.answersBeats = false;
    const mostMs = stage.options.waitMs + silenceMs;
    const why = `no new stream came, though beats were not answered for ${inSeconds(mostMs)}`;
    await stage.until(
      () => (master.streams.at(-1)?.hello && master.streams.length > before) === true,
      why,
      mostMs,
    );
    master.manner.answersBeats = true;
  },
};

const leastEndsMs = 10_000;

const stop: Check = {
  rule: 'stop',
  async run(stage) {
    await stage.held();
    const bot = stage.process;
    bot.signal('SIGTERM');
    const endsMs = Math.max(stage.options.waitMs, leastEndsMs);
    const isOver = () => bot.ending !== undefined;
    await stage.until(isOver, `it still runs ${inSeconds(endsMs)} after SIGTERM`, endsMs);
  },
};

export const lineChecks = [drain, resume, restart, notKept, goAway];
export const otherChecks = [log, unknown, silence];
export const lastChecks = [stop];
