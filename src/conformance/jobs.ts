import { createHash } from 'node:crypto';
import { newId } from '../core/ids.js';
import type { HeartbeatRequest, JobDone, LeaseReject } from '../gen/pandafuzz/v1/heartbeat.js';
import { type DeepPartial, JobSpec } from '../gen/pandafuzz/v1/job.js';
import type { Lease } from '../gen/pandafuzz/v1/lease.js';

export type Said = NonNullable<HeartbeatRequest['message']>;

/** One job that was offered to the bot, and all that the bot said about its lease. */
export class OfferedJob {
  readonly lease: Lease;
  acks = 0;
  cancelAcks = 0;
  readonly rejects: LeaseReject[] = [];
  /** Monotonic times, and the number of beats that had come by then. */
  readonly dones: { readonly value: JobDone; readonly atMs: number; readonly beats: number }[] = [];
  /** Beats that named it. */
  named = 0;
  /** Inputs executed, as its last beat has it. */
  executions = 0;
  /** Named by the last beat. */
  isNamed = false;
  /** The bot does not have to name it any more. */
  isOver = false;
  /** Beats ask to stop it. */
  isCancelled = false;
  /** Its lease is no longer valid. */
  isLost = false;

  constructor(readonly spec: JobSpec) {
    // Three different figures: a bot that mixes them up is found out.
    this.lease = { jobId: newId(), attempt: 2, fence: 5 + Math.floor(Math.random() * 1000) };
  }

  /** The bot works on it, or has not yet heard that its result is stored. */
  get isHeld(): boolean {
    return !this.isOver && !this.isLost && (this.acks > 0 || this.named > 0);
  }
}

/** As the master fills them in. */
const limits = {
  maxMemoryMib: 2048,
  inputTimeoutSeconds: 25,
  maxInputBytes: 4096,
  maxDiskMib: 4096,
  maxProcesses: 512,
};

export const specOf = (
  target: Buffer,
  engine: string,
  wanted: DeepPartial<JobSpec> = {},
): JobSpec =>
  JobSpec.fromPartial({
    name: 'conformance',
    engine,
    targetName: 'conformance',
    targetSha256: createHash('sha256').update(target).digest('hex'),
    project: 'default',
    maxAttempts: 3,
    ...wanted,
    limits: { ...limits, maxDurationSeconds: 3600, ...wanted.limits },
  });
