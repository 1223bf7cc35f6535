import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ValidationError } from '../core/errors.js';
import type {
  Beat,
  HeartbeatRequest,
  HeartbeatResponse,
  Hello,
  JobDone,
  LogPart,
} from '../gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';
import {
  checkBeat,
  checkCause,
  checkHello,
  checkLease,
  checkResult,
} from '../state/messages/checks.js';
import { Violations } from '../state/messages/violations.js';
import type { OfferedJob, Said } from './jobs.js';
import type { PlayedMaster } from './master.js';
import type { Rule } from './rules.js';

const longestLogBytes = 65_536;
const longestReason = 1024;

/**
 * One heartbeat stream from the master's side. It answers as a master does, within what
 * `master.manner` sets, and watches the rules that hold for every message.
 */
export class BotStream {
  hello: Hello | undefined;
  readonly beats: Beat[] = [];
  drainAcks = 0;
  /** Beats that had come before the last DrainAck. */
  drainedAt = 0;
  readonly logParts: LogPart[] = [];
  isWelcomed = false;
  isOver = false;
  /** Monotonic time of Hello. */
  openedAtMs = 0;

  constructor(
    readonly call: ServerDuplexStream<HeartbeatRequest, HeartbeatResponse | Buffer>,
    private readonly master: PlayedMaster,
  ) {
    call.on('error', () => this.#over());
    call.on('close', () => this.#over());
    call.on('cancelled', () => this.#over());
    call.on('data', ({ message }: HeartbeatRequest) => this.#hear(message));
    call.on('end', () => {
      call.end();
      this.#over();
    });
  }

  say(message: HeartbeatResponse['message']): void {
    if (!this.isOver) this.call.write({ message });
  }

  /** A message that is encoded already. */
  sayBytes(bytes: Buffer): void {
    // The method's own serializer passes bytes on as they are.
    if (!this.isOver) this.call.write(bytes);
  }

  /** Ends the stream with a status. */
  fail(code: number, details: string): void {
    if (!this.isOver) this.call.emit('error', { code, details });
    this.#over();
  }

  /** Answers Hello; later than it came when the check wants that. */
  welcome(): void {
    if (!this.hello || this.isWelcomed || this.isOver) return;
    const { master } = this;
    this.isWelcomed = true;
    const leases = this.hello.leases.map((lease) => {
      const job = master.jobOf(lease);
      const keep = job !== undefined && !job.isOver && !job.isLost;
      return { lease, keep, cancelRequested: keep && job.isCancelled };
    });
    const { heartbeatIntervalMs, leaseTtlMs } = master.times;
    this.say({ $case: 'welcome', value: { heartbeatIntervalMs, leaseTtlMs, leases } });
    if (master.manner.isDraining) this.say({ $case: 'drain', value: {} });
  }

  #over(): void {
    this.isOver = true;
    this.master.changes.wake();
  }

  #hear(message: Said | undefined): void {
    if (this.isOver) return;
    const { findings } = this.master;
    if (!message) findings.broken('fields', 'it sent a message of the stream that is empty');
    else if (!this.hello && message.$case !== 'hello') {
      findings.broken('hello', `the first message of the stream was ${nameOf(message)}, not Hello`);
    } else if (message.$case !== 'hello' && !this.isWelcomed) {
      findings.broken('hello', `it sent ${nameOf(message)} before Welcome had come`);
    }
    if (message) this.#take(message);
    this.master.changes.wake();
  }

  #take(message: Said): void {
    const { value, $case } = message;
    if ($case === 'hello') this.#hello(value);
    else if ($case === 'beat') this.#beat(value);
    else if ($case === 'jobDone') this.#done(value);
    else if ($case === 'logPart') this.logParts.push(value);
    else if ($case === 'drainAck') {
      this.drainAcks += 1;
      this.drainedAt = this.beats.length;
    } else if ($case === 'leaseAck') {
      const job = this.#named('LeaseAck', value.lease);
      if (job) job.acks += 1;
    } else if ($case === 'cancelAck') {
      const job = this.#named('CancelAck', value.lease);
      if (job) job.cancelAcks += 1;
    } else {
      this.#fields('LeaseReject', (found) => {
        found.text(value.reason, 'lease_reject.reason', { min: 1, max: longestReason });
        checkCause(value.cause ?? '', 'lease_reject.cause', found);
      });
      this.#named('LeaseReject', value.lease)?.rejects.push(value);
    }
  }

  #hello(hello: Hello): void {
    const { master } = this;
    const { findings } = master;
    if (this.hello) findings.broken('hello', 'it sent Hello a second time on the same stream');
    this.hello = hello;
    this.openedAtMs = master.now();
    try {
      checkHello(hello);
    } catch (error) {
      this.#invalid('Hello', error);
    }
    if (hello.botId !== master.botId) {
      findings.broken('hello', 'its Hello has another bot_id than RegisterBot returned');
    }
    for (const lease of hello.leases) this.#named('Hello', lease);
    if (master.manner.welcomes) this.welcome();
  }

  #beat(beat: Beat): void {
    const { master, beats } = this;
    const { findings, manner } = master;
    const expected = (beats.at(-1)?.sequence ?? 0) + 1;
    beats.push(beat);
    findings.kept('sequence');
    if (beat.sequence !== expected) {
      const why = `beat ${beats.length} of a stream has sequence ${beat.sequence}; ${expected} was next`;
      findings.broken('sequence', why);
    }
    try {
      checkBeat(beat);
      findings.kept('fields');
    } catch (error) {
      this.#invalid('a beat', error);
    }
    this.#countSlots(beat);
    this.#countLeases(beat);
    if (manner.answersBeats) this.#answer(beat);
  }

  #countSlots({ freeSlots, leases }: Beat): void {
    const { findings, slots } = this.master;
    if (freeSlots <= Math.max(slots - leases.length, 0)) findings.kept('slots');
    else {
      const why = `a beat has ${freeSlots} free slots beside ${leases.length} leases; it registered ${slots} slots`;
      findings.broken('slots', why);
    }
  }

  #countLeases(beat: Beat): void {
    const { master } = this;
    const { findings } = master;
    const named = new Set<OfferedJob>();
    for (const { lease, statistics } of beat.leases) {
      const job = this.#named('a beat', lease);
      if (!job) continue;
      named.add(job);
      job.named += 1;
      job.executions = statistics?.executions ?? 0;
    }
    for (const job of master.jobs) {
      if (named.has(job)) findings.kept('renew');
      else if (job.isHeld && job.isNamed && job.dones.length === 0) {
        findings.broken(
          'renew',
          'a beat leaves out a lease that earlier ones named, and no result came',
        );
      }
      job.isNamed = named.has(job);
    }
  }

  #answer({ sequence, leases }: Beat): void {
    const { master } = this;
    const { heartbeatIntervalMs, leaseTtlMs } = master.times;
    const answers = leases.map(({ lease }) => {
      const job = master.jobOf(lease);
      const isValid = job !== undefined && !job.isOver && !job.isLost;
      const cancelRequested = isValid && job.isCancelled;
      return { lease, remainingTtlMs: isValid ? leaseTtlMs : 0, cancelRequested };
    });
    const value = { sequence, leases: answers, nextBeatInMs: heartbeatIntervalMs };
    this.say({ $case: 'beatAck', value });
  }

  #done(done: JobDone): void {
    const { master } = this;
    const { lease, result, logTail } = done;
    this.#fields('JobDone', (found) => {
      checkResult(result, undefined, found);
      const isFine = (logTail?.length ?? 0) <= longestLogBytes;
      found.expect(isFine, 'job_done.log_tail', `must be at most ${longestLogBytes} bytes`);
    });
    const job = this.#named('JobDone', lease);
    if (!job) return;
    job.dones.push({ value: done, atMs: master.now(), beats: this.beats.length });
    const answer = master.manner.answerDone(job);
    if (answer) this.say({ $case: 'jobDoneAck', value: { lease, outcome: answer } });
  }

  /** The job that a lease is of. Another fence or attempt than it was given is a breach. */
  #named(where: string, lease: Lease | undefined): OfferedJob | undefined {
    this.#fields(where, (found) => checkLease(lease, found));
    return lease && this.master.named(where, lease);
  }

  #fields(where: string, check: (found: Violations) => void): void {
    const found = new Violations();
    check(found);
    try {
      found.throwIfAny();
    } catch (error) {
      this.#invalid(where, error);
    }
  }

  #invalid(where: string, error: unknown): void {
    if (!(error instanceof ValidationError)) throw error;
    const rule: Rule = where === 'Hello' ? 'hello' : 'fields';
    this.master.findings.broken(rule, `${where} is refused: ${error.message}`);
  }
}

/** "leaseAck" as the contract has it: LeaseAck. */
const nameOf = ({ $case }: Said) => $case.replace(/^./, (first) => first.toUpperCase());
