import { hash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { unary } from '../../../src/client/call.js';
import type { Connection } from '../../../src/client/connect.js';
import { type Failure, failureOf } from '../../../src/client/failure.js';
import { uploadArtifact } from '../../../src/client/transfer.js';
import { ArtifactKind } from '../../../src/gen/pandafuzz/v1/artifact.js';
import { JobSpec, JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../endings.js';
import { given } from '../../steps.js';
import type { History } from '../history/history.js';
import type { Chance } from './chance.js';
import { pause } from './times.js';

export interface Setting {
  readonly connection: Connection;
  readonly history: History;
  readonly chance: Chance;
  readonly name: string;
  /** Deadline of a call, milliseconds. */
  readonly timeoutMs: number;
  /** Longest pause between two calls, milliseconds. */
  readonly paceMs: number;
  /** Longest run of a job, milliseconds. */
  readonly runMs: number;
  /** Aborts when no new work is to begin. */
  readonly over: AbortSignal;
  /** Aborts when nothing is repeated any more. */
  readonly giveUp: AbortSignal;
}

const listed = 50;
/** Of its own jobs, for reads and cancels. */
const remembered = 200;

/** Somebody who submits, reads and cancels jobs, and repeats until there is an answer. */
export class Operator {
  readonly #folder = temporaryFolder();
  readonly #jobs: string[] = [];
  #targets: string[] = [];

  constructor(private readonly setting: Setting) {}

  async work(): Promise<void> {
    const { chance, over, paceMs } = this.setting;
    while (!over.aborted) {
      await this.#step(chance.next());
      await pause(chance.below(paceMs + 1), over);
    }
  }

  /** Asks again until there is an answer, or the load is given up. */
  async persist<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const { giveUp, timeoutMs } = this.setting;
    while (!giveUp.aborted) {
      try {
        return await ask();
      } catch (error) {
        const failure = failureOf(error);
        if (failure?.code === Code.INVALID_ARGUMENT) throw error;
        if (failure && isFinal(failure)) return undefined;
        await pause(Math.min(failure?.retryAfterMs ?? 50, timeoutMs), giveUp);
      }
    }
    return undefined;
  }

  async upload(): Promise<void> {
    const { connection, history, chance, name, giveUp: signal, timeoutMs } = this.setting;
    const bytes = chance.bytes(2000 + chance.below(100_000));
    const sha256 = hash('sha256', bytes, 'hex');
    const path = join(this.#folder, sha256);
    writeFileSync(path, bytes);
    const artifact = { path, kind: ArtifactKind.TARGET, name: 'target' };
    const options = { signal, stallMs: timeoutMs };
    const uploaded = await this.persist(() =>
      history.record(
        name,
        'upload',
        { sha256 },
        () => uploadArtifact(connection, artifact, options),
        () => ({}),
      ),
    );
    rmSync(path);
    if (uploaded) this.#targets = [...this.#targets.slice(-4), sha256];
  }

  /** A target that is uploaded. */
  async target(): Promise<string> {
    if (this.#targets.length === 0) await this.upload();
    return given(this.#targets[0]);
  }

  async create(): Promise<void> {
    const { history, chance, name, timeoutMs } = this.setting;
    if (this.#targets.length === 0) await this.upload();
    if (this.#targets.length === 0) return;
    const requestId = chance.uuid();
    const spec = JobSpec.create({
      engine: 'libfuzzer',
      targetSha256: chance.pick(this.#targets),
      campaign: chance.pick(['', 'day', 'night']),
      priority: chance.below(3),
    });
    const answer = await this.persist(() =>
      history.record(
        name,
        'create',
        { requestId },
        () =>
          unary(this.#jobService, this.#jobService.createJob, { spec, requestId }, { timeoutMs }),
        ({ job }) => ({ jobId: given(job).id }),
      ),
    );
    if (!answer) return;
    this.#jobs.push(given(answer.job).id);
    if (this.#jobs.length > remembered) this.#jobs.shift();
  }

  /** Anew for each call: the connection may have been renewed. */
  get #jobService() {
    return this.setting.connection.jobs;
  }

  async #step(what: number): Promise<void> {
    const { history, chance, name, timeoutMs } = this.setting;
    if (what < 0.03) return this.upload();
    const isAbout = this.#jobs.length > 0;
    if (what < 0.55 || !isAbout) return this.create();
    const jobId = chance.pick(this.#jobs);
    if (what < 0.8) {
      const read = () => unary(this.#jobService, this.#jobService.getJob, { jobId }, { timeoutMs });
      await this.persist(() =>
        history.record(name, 'read', { jobId }, read, ({ job }) => ({
          state: given(job).state,
          fence: given(job).fence,
        })),
      );
    } else if (what < 0.9) {
      const page = { pageSize: listed, pageToken: '', state: JobState.UNSPECIFIED };
      const list = () => unary(this.#jobService, this.#jobService.listJobs, page, { timeoutMs });
      await this.persist(() =>
        history.record(name, 'list', { limit: listed }, list, ({ jobs, nextPageToken }) => ({
          jobIds: jobs.map(({ id }) => id),
          hasMore: nextPageToken !== '',
        })),
      );
    } else {
      const cancel = () =>
        unary(this.#jobService, this.#jobService.cancelJob, { jobId }, { timeoutMs });
      await this.persist(() =>
        history.record(name, 'cancel', { jobId }, cancel, ({ job }) => ({
          state: given(job).state,
        })),
      );
    }
  }
}

/** Refusals that no repetition changes. INVALID_ARGUMENT is none: it is a fault of the load. */
const isFinal = ({ code }: Failure): boolean =>
  [Code.NOT_FOUND, Code.FAILED_PRECONDITION].includes(code);
