import { newId } from '../../../src/core/ids.js';
import { ReportReproductionRequest } from '../../../src/gen/pandafuzz/v1/crash_service.js';
import { type Job, JobKind, type JobSpec, JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { Scene, scripted } from './scene.js';

export interface TakenWork {
  readonly lease: Lease;
  readonly spec: JobSpec;
}

/** A scene whose bots can work on crashes. */
export const workScene = (settings: Record<string, string> = {}): Promise<Scene> =>
  Scene.open(scripted(2), undefined, settings);

/** The next job for a new bot that can work on crashes; undefined when there is none. */
export async function takeWork(scene: Scene): Promise<TakenWork | undefined> {
  await scene.state.crashPolicy.look();
  const offer = { slots: 1, labels: {}, version: '', memoryMib: 0, diskMib: 0, name: newId() };
  const engines = ['libfuzzer-crashes', 'aflplusplus-crashes'];
  const bot = await scene.state.bots.register(testContext(), {
    ...offer,
    engines,
    engineDetails: [],
  });
  const wish = { botId: bot.id, waitMs: 0, leaseTtlMs: 86_400_000 };
  const assignment = await scene.state.pull.assign(testContext(), wish);
  return assignment && { lease: given(assignment.lease), spec: given(assignment.spec) };
}

/** The next job, which must be there. */
export const nextWork = async (scene: Scene) => given(await takeWork(scene));

/** What came of running the job's only, or first, crash again. */
export function report(
  scene: Scene,
  { lease, spec }: TakenWork,
  { reports = [], ...more }: Partial<ReportReproductionRequest>,
): Promise<{ crashes: number }> {
  const crashId = spec.crashWork?.inputs[0]?.crashId ?? '';
  const request = { lease, crashId, runs: 5, reports: [...reports], log: '', ...more };
  return scene.state.crashWork.report(testContext(), ReportReproductionRequest.create(request));
}

export const crashed = (report: string, count: number) => ({ reports: [{ report, count }] });

/** Jobs that work on crashes, the newest first, by how they stand. */
export async function works(scene: Scene): Promise<(Job & { kind: string })[]> {
  const page = { pageSize: 1000, pageToken: '', state: JobState.UNSPECIFIED };
  const { jobs } = await scene.state.jobs.list(testContext(), page);
  return jobs
    .filter(({ spec }) => spec?.kind !== JobKind.UNSPECIFIED)
    .map((job) => ({ ...job, kind: JobKind[job.spec?.kind ?? 0] as string }));
}
