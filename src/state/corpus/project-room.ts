import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { QuotaError } from '../../core/errors.js';
import { projectBytes } from '../../store/ops/corpus/project-bytes.js';
import type { Store } from '../../store/store.js';

/** For so long a sum counts, milliseconds: what comes meanwhile is beyond the quota. */
const countsMs = 10_000;
/** Projects whose sums are remembered; the one that was first goes. */
const mostProjects = 1000;

/** The quota of a project's corpora together (`corpus.max_project_bytes`). */
export class ProjectRoom {
  readonly #sums = new Map<string, { readonly bytes: number; readonly atMs: number }>();

  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly clock: Clock,
    private readonly most: number,
  ) {}

  /** @throws QuotaError */
  async expect(ctx: RequestContext, project: string): Promise<void> {
    if ((await this.#bytesOf(ctx, project)) < this.most) return;
    throw new QuotaError({
      subject: 'corpus.max_project_bytes',
      why: `the corpora of this project have ${this.most} bytes, as many as they may (corpus.max_project_bytes): merge or reset some, or raise the setting`,
    });
  }

  async #bytesOf(ctx: RequestContext, project: string): Promise<number> {
    const known = this.#sums.get(project);
    const now = this.clock.monotonic();
    if (known && now - known.atMs < countsMs) return known.bytes;
    const bytes = await this.store.run(ctx, projectBytes, project);
    this.#sums.delete(project);
    this.#sums.set(project, { bytes, atMs: now });
    if (this.#sums.size > mostProjects) this.#sums.delete(this.#sums.keys().next().value ?? '');
    return bytes;
  }
}
