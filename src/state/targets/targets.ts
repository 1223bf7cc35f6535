import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { defaultProject } from '../../core/project.js';
import { type Target, TargetBuild } from '../../gen/pandafuzz/v1/target.js';
import type {
  GetTargetRequest,
  GetTargetResponse,
  ListTargetsRequest,
  ListTargetsResponse,
  RegisterBuildRequest,
} from '../../gen/pandafuzz/v1/target_service.js';
import { mostBuilds } from '../../store/ops/targets/add-build.js';
import { getTarget } from '../../store/ops/targets/get-target.js';
import { listTargets } from '../../store/ops/targets/list-targets.js';
import { registerBuild } from '../../store/ops/targets/register-build.js';
import type { BuildRow, TargetRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { checkExecutable, isProject, projectProblem } from '../messages/checks.js';
import { cutPageBy, pageSizeOf, pairToken, readPair } from '../messages/pages.js';
import { time } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

/** Targets by project and name, and their builds. */
export class Targets {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly engines: readonly string[],
  ) {}

  /** Makes a build the newest of its target. @throws ValidationError, NotFoundError, QuotaError */
  async register(ctx: RequestContext, request: RegisterBuildRequest): Promise<Target> {
    const { project, targetName } = request;
    const build = request.build ?? TargetBuild.create();
    const { engine, targetSha256, executable, seedsSha256, dictionarySha256 } = build;
    const found = checkName(project, targetName)
      .expect(
        this.engines.includes(engine),
        'build.engine',
        `this master takes builds for: ${this.engines.join(', ')}`,
      )
      .sha256(targetSha256, 'build.target_sha256');
    if (seedsSha256 !== '') found.sha256(seedsSha256, 'build.seeds_sha256');
    if (dictionarySha256 !== '') found.sha256(dictionarySha256, 'build.dictionary_sha256');
    checkExecutable(executable, 'build.executable', found);
    found.throwIfAny();
    const { target, builds } = await this.store.run(ctx, registerBuild, {
      project: project || defaultProject,
      targetName,
      engine,
      targetSha256,
      executable,
      seedsSha256: seedsSha256 || null,
      dictionarySha256: dictionarySha256 || null,
      now: this.clock.now(),
    });
    return targetRecord(target, builds[0]);
  }

  /** @throws ValidationError, NotFoundError */
  async get(ctx: RequestContext, request: GetTargetRequest): Promise<GetTargetResponse> {
    const { project, targetName } = request;
    checkName(project, targetName).throwIfAny();
    const named = { project: project || defaultProject, targetName, limit: mostBuilds };
    const { target, builds } = await this.store.run(ctx, getTarget, named);
    return { target: targetRecord(target, builds[0]), builds: builds.map(buildRecord) };
  }

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: ListTargetsRequest): Promise<ListTargetsResponse> {
    const { project, pageToken } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const limit = pageSizeOf(request, found);
    const [afterProject, afterName] = readPair(pageToken, found);
    const page = { project, afterProject, afterName, limit: limit + 1 };
    const rows = await this.store.run(ctx, listTargets, page);
    const cut = cutPageBy(rows, limit + 1, (last) => pairToken([last.project, last.name]));
    return {
      targets: cut.rows.map((row) => targetRecord(row, row.newest)),
      nextPageToken: cut.nextPageToken,
    };
  }
}

const checkName = (project: string, targetName: string) =>
  new Violations()
    .expect(isProject(project), 'project', projectProblem)
    .text(targetName, 'target_name', { min: 1, max: 128 });

const targetRecord = ({ project, name, builds }: TargetRow, newest?: BuildRow): Target => ({
  project,
  name,
  builds,
  newest: newest && buildRecord(newest),
});

const buildRecord = (row: BuildRow): TargetBuild => ({
  engine: row.engine,
  targetSha256: row.target_sha256,
  executable: row.executable,
  seedsSha256: row.seeds_sha256 ?? '',
  dictionarySha256: row.dictionary_sha256 ?? '',
  registeredAt: time(row.registered_at),
});
