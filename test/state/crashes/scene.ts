import { createHash } from 'node:crypto';
import { loadMasterConfig } from '../../../src/config/load.js';
import { newId } from '../../../src/core/ids.js';
import { silentLog } from '../../../src/core/log.js';
import type { CrashGroup } from '../../../src/gen/pandafuzz/v1/crash.js';
import {
  CrashReport,
  ListCrashGroupsRequest,
  type RegroupCrashesResponse,
} from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { createMetrics } from '../../../src/metrics.js';
import type { ReaderProgram } from '../../../src/state/crashes/reading/readers.js';
import { createState, type State } from '../../../src/state/state.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { completeJob } from '../../../src/store/ops/jobs/complete-job.js';
import type { Store } from '../../../src/store/store.js';
import { atEnd, openStore, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import { given } from '../../steps.js';
import { noPause } from '../../store/inputs.js';
import { patientStore, VirtualClock } from '../../virtual-clock.js';

/** A reader of reports like "v2=signature/line": see `readers/scripted.ts`. */
export const scripted = (version: 2 | 3): ReaderProgram => ({
  entry: new URL(`./readers/version-${version}.js`, import.meta.url),
  version,
});

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The rules about crashes over a real store and real threads, with a clock turned by hand. */
export class Scene {
  readonly clock = new VirtualClock();
  state!: State;
  #inputs = 0;

  private constructor(
    readonly store: Store,
    private reader: ReaderProgram | undefined,
    private readonly settings: Record<string, string>,
  ) {}

  /** @param settings as in the environment */
  static async open(
    reader?: ReaderProgram,
    directory?: string,
    settings: Record<string, string> = {},
  ): Promise<Scene> {
    const store = await openStore({ connect: inProcess, ...(directory && { directory }) });
    const scene = new Scene(store, reader, settings);
    await scene.#start();
    atEnd(() => scene.state.stop());
    return scene;
  }

  /** A later master over the same store, with another reader. */
  async restart(reader: ReaderProgram): Promise<void> {
    await this.state.stop();
    this.reader = reader;
    await this.#start();
    await this.state.regrouping.caughtUp(testContext().signal);
  }

  async #start(): Promise<void> {
    this.state = createState({
      store: this.store,
      clock: this.clock,
      log: silentLog,
      metrics: createMetrics(),
      newId,
      version: 'test',
      config: loadMasterConfig({ environment: { ...patientStore, ...this.settings } }),
      ...(this.reader && { reader: this.reader }),
    });
    await this.state.start();
  }

  /** An uploaded build; a second passes. */
  async build(content: string, name = 'demo'): Promise<string> {
    this.clock.advance(1000);
    const row = { kind: 'target' as const, name, size_bytes: 1, created_at: this.clock.now() };
    await this.store.run(testContext(), putArtifact, { ...row, sha256: sha256(content) });
    return sha256(content);
  }

  /** The lease of a job that runs now on a bot of its own; a second passes. */
  async lease(targetSha256: string, spec: Partial<JobSpec> = {}): Promise<Lease> {
    this.clock.advance(1000);
    const whole = JobSpec.create({ engine: 'libfuzzer', targetSha256, ...spec });
    const job = await this.state.jobs.create(testContext(), { spec: whole, requestId: '' });
    return this.leaseOf(job.id);
  }

  /** The lease of a job, the only one that waits, for a new bot. */
  async leaseOf(jobId: string): Promise<Lease> {
    const engines = ['libfuzzer', 'aflplusplus'];
    const offer = { engines, slots: 1, labels: {}, version: '', memoryMib: 0 };
    const { bots, pull } = this.state;
    const about = { ...offer, name: newId(), diskMib: 0, engineDetails: [] };
    const bot = await bots.register(testContext(), about);
    const wish = { botId: bot.id, waitMs: 0, leaseTtlMs: 86_400_000 };
    const lease = given(given(await pull.assign(testContext(), wish)).lease);
    if (lease.jobId !== jobId) throw new Error('another job was waiting');
    return lease;
  }

  /** The bot's trouble ends the attempt: the job waits for another bot. */
  async lose({ jobId, attempt, fence }: Lease): Promise<void> {
    const result = { outcome: 'infrastructure' as const, message: 'gone', statistics: '{}' };
    const input = { jobId, attempt, fence, ...result, now: this.clock.now(), ...noPause };
    const done = await this.store.run(testContext(), completeJob, input);
    // What state/jobs/jobs.ts does after it: the queue has a job again.
    if (done.wakes !== undefined) this.state.sessionParts.dispatch.jobPending(done.wakes);
  }

  async complete({ jobId, attempt, fence }: Lease): Promise<void> {
    const result = { outcome: 'completed' as const, message: '', statistics: '{}' };
    const input = { jobId, attempt, fence, ...result, now: this.clock.now(), ...noPause };
    await this.store.run(testContext(), completeJob, input);
  }

  /** A crash with an input of its own, unless one is given; a second passes. */
  async crash(lease: Lease, report: string, more: { input?: string; hits?: number } = {}) {
    this.clock.advance(1000);
    const { input = `input ${++this.#inputs}`, hits = 0 } = more;
    const about = { inputSha256: sha256(input), inputSizeBytes: input.length, report, hits };
    return this.state.crashes.report(
      testContext(),
      CrashReport.create({ lease, ...about }),
      chunksOf(input),
    );
  }

  async group(id: string): Promise<CrashGroup> {
    return given((await this.state.crashGroups.get(testContext(), id)).group);
  }

  async groups(filter: Partial<ListCrashGroupsRequest> = {}): Promise<CrashGroup[]> {
    const request = ListCrashGroupsRequest.create(filter);
    return (await this.state.crashGroups.list(testContext(), request)).groups;
  }

  async groupOf(crashId: string): Promise<string> {
    return (await this.state.crashes.get(testContext(), crashId)).groupId;
  }

  /** Who is together with whom: crashes by group, the oldest first. */
  async together(): Promise<string[][]> {
    const groups = new Map<string, string[]>();
    const page = { pageSize: 1000, pageToken: '', groupId: '', jobId: '' };
    const { crashes } = await this.state.crashes.list(testContext(), page);
    for (const { id, groupId } of crashes.reverse()) {
      groups.set(groupId, [...(groups.get(groupId) ?? []), id]);
    }
    return [...groups.values()];
  }

  merge(groupIds: string[], intoGroupId: string) {
    const request = { groupIds, intoGroupId, by: 'ada' };
    return this.state.crashDecisions.merge(testContext(), request);
  }

  split(groupId: string, crashIds: string[]) {
    return this.state.crashDecisions.split(testContext(), { groupId, crashIds, by: 'ada' });
  }

  undo(decisionId: string) {
    return this.state.crashDecisions.undo(testContext(), { decisionId, by: 'ada' });
  }

  /** All moves of a regrouping, and its last message. */
  async regroup(isDry: boolean) {
    const messages: RegroupCrashesResponse[] = [];
    const { signal } = testContext();
    for await (const one of this.state.regrouping.regroup(signal, { isDry })) messages.push(one);
    return {
      moves: messages.flatMap(({ moves }) => moves),
      last: given(messages.at(-1)),
    };
  }

  stats() {
    return this.state.system.stats(testContext());
  }
}

async function* chunksOf(text: string) {
  yield Buffer.from(text);
}
