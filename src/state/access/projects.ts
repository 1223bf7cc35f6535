import type { RequestContext } from '../../core/context.js';
import { NotFoundError, PermissionError } from '../../core/errors.js';
import { isId, isSha256 } from '../../core/ids.js';
import { defaultProject } from '../../core/project.js';
import { resolveCampaign } from '../../store/ops/campaigns/find-campaign.js';
import { isArtifactOf, type OwnedKind, projectOf } from '../../store/ops/tokens/project-of.js';
import type { Store } from '../../store/store.js';

/**
 * What a call of a caller who is bound to projects may name. An id of another project is
 * NOT_FOUND, as one that there never was; a project that is named is PERMISSION_DENIED,
 * whether there is one of that name or not. So neither tells what other projects have.
 */
export class Projects {
  constructor(private readonly store: Pick<Store, 'run'>) {}

  /** For the calls of one caller. */
  of(ctx: RequestContext, own: readonly string[]): Scope {
    return new Scope(this.store, ctx, own);
  }
}

export class Scope {
  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly ctx: RequestContext,
    readonly own: readonly string[],
  ) {}

  /** A project, by its name; '': the default one. @throws PermissionError */
  named(project: string): void {
    if (!this.own.includes(project || defaultProject)) throw otherProject(this.own);
  }

  /** The project before the slash in the key of a campaign. @throws PermissionError */
  key(key: string): void {
    const at = key.indexOf('/');
    if (at < 0) throw otherProject(this.own);
    this.named(key.slice(0, at));
  }

  /**
   * Something that one of `kinds` has this id. What is no id passes: the rules refuse it.
   *
   * @throws NotFoundError
   */
  async id(kinds: OwnedKind | readonly OwnedKind[], id: string): Promise<void> {
    if (!isId(id)) return;
    const [first, ...others] = typeof kinds === 'string' ? [kinds] : kinds;
    if (first === undefined) return;
    const wanted = { kinds: [first, ...others], id };
    const project = await this.store.run(this.ctx, projectOf, wanted);
    if (project !== undefined && this.own.includes(project)) return;
    throw new NotFoundError({ resource: first, id });
  }

  /** @throws NotFoundError for an artifact that nothing of these projects is made of */
  async artifact(sha256: string): Promise<void> {
    if (!isSha256(sha256)) return;
    if (await this.store.run(this.ctx, isArtifactOf, { sha256, projects: this.own })) return;
    throw new NotFoundError({ resource: 'artifact', id: sha256 });
  }

  /** The project in which a campaign of this name or id is. @throws NotFoundError */
  async projectOfCampaign(text: string): Promise<string> {
    for (const project of this.own) {
      try {
        await this.store.run(this.ctx, resolveCampaign, { project, text });
        return project;
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
    throw new NotFoundError({ resource: 'campaign', id: text });
  }
}

export const otherProject = (own: readonly string[]) =>
  new PermissionError({
    reason: 'OTHER_PROJECT',
    why: `this token is bound to ${own.length === 1 ? 'the project' : 'the projects'} ${own.join(', ')}: name one of these`,
  });
