import { status as Code } from '@grpc/grpc-js';
import { Violations } from '../../state/messages/violations.js';
import type { Check } from '../check.js';
import { Breach } from '../findings.js';
import { inSeconds } from '../stage.js';

/** How a bot comes: registration, Hello, and beats. */

const register: Check = {
  rule: 'register',
  async run({ master }) {
    const { name = '', engines = [], slots = 0, identity } = master.registration ?? {};
    const found = new Violations()
      .text(name, 'name', { min: 1, max: 128 })
      .expect(/^[A-Za-z0-9._-]*$/.test(name), 'name', "must be letters, digits, '.', '_' and '-'")
      .expect(engines.length >= 1 && engines.length <= 16, 'engines', 'must be 1 to 16')
      .whole(slots, 'slots', { min: 1, max: 1024 });
    if (identity !== undefined) found.id(identity, 'identity');
    try {
      found.throwIfAny();
    } catch (error) {
      throw new Breach(`RegisterBot is refused: ${(error as Error).message}`);
    }
  },
};

/** Welcome takes this long, milliseconds: a bot that does not wait for it is found out. */
const slowWelcomeMs = 1000;

const hello: Check = {
  rule: 'hello',
  async run(stage) {
    const { master } = stage;
    master.manner.welcomes = false;
    const stream = await stage.streamAfterBreak();
    if (await stage.within(slowWelcomeMs, () => stream.isOver)) {
      throw new Breach(`it ended its stream: Welcome had not come for ${inSeconds(slowWelcomeMs)}`);
    }
    master.manner.welcomes = true;
    stream.welcome();
    await stage.beats(1);
  },
};

/** Beats in one interval, on average, that are no flood. */
const mostBeats = 10;
const watchedBeats = 4;

const beats: Check = {
  rule: 'beats',
  async run(stage) {
    const { master } = stage;
    const since = master.now();
    const { stream } = stage;
    const before = stream.beats.length;
    await stage.beats(watchedBeats);
    const intervals = (master.now() - since) / master.times.heartbeatIntervalMs;
    const came = stream.beats.length - before;
    if (intervals > 1 && came > mostBeats * intervals) {
      throw new Breach(`it sent ${came} beats in ${Math.round(intervals)} intervals`);
    }
  },
};

/** Streams are refused for this long, milliseconds. */
const refusedMs = 3000;
/** Attempts in that time that are no flood: with backoff there are about six. */
const mostAttempts = 30;

const backoff: Check = {
  rule: 'backoff',
  async run(stage) {
    const { master } = stage;
    const before = master.streams.length;
    master.manner.refuses = { code: Code.UNAVAILABLE, details: 'the database is locked' };
    stage.breakOff();
    const refused = master.refusedAtMs.length;
    const count = () => master.refusedAtMs.length - refused;
    if (await stage.within(refusedMs, () => count() > mostAttempts)) {
      const why = `it opened ${count()} streams within ${inSeconds(refusedMs)} while the master refused them`;
      throw new Breach(why);
    }
    master.manner.refuses = undefined;
    await stage.nextStream(before, stage.options.waitMs + 5000);
  },
};

const forgotten: Check = {
  rule: 'forgotten',
  async run(stage) {
    const { master } = stage;
    const registered = master.registrations.length;
    const before = master.streams.length;
    master.manner.refuses = { code: Code.NOT_FOUND, details: 'there is no such bot' };
    stage.breakOff();
    await stage.until(
      () => master.registrations.length > registered,
      () =>
        `no RegisterBot came after ${master.refusedAtMs.length} Hellos were refused as NOT_FOUND`,
    );
    master.manner.refuses = undefined;
    const [was, is] = master.registrations.slice(-2);
    if (was?.identity !== is?.identity) throw new Breach('it registered with another identity');
    await stage.nextStream(before);
  },
};

/** A little less than the 5 s of the protocol: clocks are not compared. */
const rivalMs = 4500;

const rival: Check = {
  rule: 'rival',
  async run(stage) {
    const { master } = stage;
    const before = master.refusedAtMs.length;
    master.manner.refuses = { code: Code.ABORTED, details: 'a newer stream replaced this one' };
    stage.breakOff();
    await stage.until(() => master.refusedAtMs.length > before, 'no new stream came');
    const first = master.refusedAtMs[before] ?? 0;
    if (await stage.within(rivalMs, () => master.refusedAtMs.length > before + 1)) {
      const waited = (master.refusedAtMs[before + 1] ?? 0) - first;
      throw new Breach(
        `it came again ${inSeconds(waited)} after its stream was refused as ABORTED`,
      );
    }
  },
};

export const openingChecks = [register, hello, beats];
export const refusalChecks = [forgotten, backoff, rival];
