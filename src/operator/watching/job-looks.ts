import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isNotFound } from '../../client/failure.js';
import type { Crash } from '../../gen/pandafuzz/v1/crash.js';
import { crashPages } from '../lists.js';
import type { CallOptions } from '../submit.js';
import { isLoss } from './changes.js';
import { crashEvent, jobFind, tooManyCrashes } from './job-events.js';
import type { Tell } from './lines.js';
import { Seen } from './seen.js';

/** Crashes and finds of one job, which are no changes of it. */
export class JobLooks {
  readonly #crashes = new Seen<Crash>();
  #coverage: number | undefined;
  /** One look at a time: each tells what the one before did not. */
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly connection: Connection,
    private readonly jobId: string,
    private readonly tell: Tell,
  ) {}

  look(options: CallOptions): Promise<void> {
    const look = this.#looking.then(() => this.#look(options));
    this.#looking = look.catch(() => undefined);
    return look;
  }

  /** The last look, which does without a master that is away again, or a job that is deleted. */
  async atEnd(options: CallOptions): Promise<void> {
    try {
      await this.look(options);
    } catch (error) {
      if (!isLoss(error) && !isNotFound(error)) throw error;
    }
  }

  async #look(options: CallOptions): Promise<void> {
    const { jobs } = this.connection;
    const { jobId } = this;
    const { job } = await unary(jobs, jobs.getJob, { jobId }, options);
    const ofJob = crashPages(this.connection, { groupId: '', jobId }, options);
    const { items, isCut, keep } = await this.#crashes.read(ofJob);
    keep();
    const coverage = job?.statistics?.coverage ?? 0;
    const gained = coverage - (this.#coverage ?? coverage);
    // A further attempt begins with less.
    this.#coverage = Math.max(coverage, this.#coverage ?? 0);
    if (job && gained > 0) this.tell(jobFind(job, gained));
    for (const crash of items.toReversed()) this.tell(crashEvent(crash, crash.targetName));
    if (isCut) this.tell(tooManyCrashes(items.length));
  }
}
