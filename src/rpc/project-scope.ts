import type { RequestContext } from '../core/context.js';
import { PermissionError, ValidationError } from '../core/errors.js';
import { otherProject, type Projects, type Scope } from '../state/access/projects.js';
import type { ClientStream, ServerStream, Unary } from './calls.js';
import { type Checked, projectRules } from './projects.js';

interface Page {
  readonly project?: string | undefined;
  readonly pageToken: string;
}

type NextPage = object & { readonly nextPageToken: string };

/**
 * Calls of callers who are bound to projects (`projects.ts`). Everybody else's pass without a
 * look.
 */
export class ProjectScope {
  constructor(private readonly projects: Projects) {}

  /** @throws PermissionError, NotFoundError; what the handler throws */
  unary<Request, Response>(
    path: string,
    handler: Unary<Request, Response>,
    request: Request,
    ctx: RequestContext,
  ): Promise<Response> {
    const { projects: own } = ctx.principal;
    if (!own) return handler(request, ctx);
    return this.#unary(path, handler, request, { ctx, scope: this.projects.of(ctx, own) });
  }

  async #unary<Request, Response>(
    path: string,
    handler: Unary<Request, Response>,
    request: Request,
    { ctx, scope }: { ctx: RequestContext; scope: Scope },
  ): Promise<Response> {
    const rule = ruleOf(path);
    if (!rule) return handler(request, ctx);
    const checked = await checkedBy(rule, scope, request);
    const isPages = rule.isPages && checked !== true;
    const wanted = replaced(checked) ? (checked as Request) : request;
    const response = isPages
      ? await inTurn(
          scope.own,
          wanted as Page,
          (page) => handler(page as Request, ctx) as Promise<NextPage>,
        )
      : await handler(wanted, ctx);
    return (rule.answer ? rule.answer(response as never) : response) as Response;
  }

  /** Each message is checked. */
  clientStream<Request, Response>(
    path: string,
    handler: ClientStream<Request, Response>,
    requests: AsyncIterable<Request>,
    ctx: RequestContext,
  ): Promise<Response> {
    const { projects: own } = ctx.principal;
    const rule = own && ruleOf(path);
    if (!own || !rule) return handler(requests, ctx);
    return handler(eachChecked(rule, this.projects.of(ctx, own), requests), ctx);
  }

  serverStream<Request, Response>(
    path: string,
    handler: ServerStream<Request, Response>,
    request: Request,
    ctx: RequestContext,
  ): AsyncIterable<Response> {
    const { projects: own } = ctx.principal;
    const rule = own && ruleOf(path);
    if (!own || !rule) return handler(request, ctx);
    const scope = this.projects.of(ctx, own);
    return afterCheck(checkedBy(rule, scope, request), () => handler(request, ctx));
  }
}

/** @throws PermissionError where access has let a call pass that it should not have */
function ruleOf(path: string): Checked | undefined {
  const rule = projectRules.get(path);
  if (rule === undefined || rule === 'every project') throw notForProjects(rule);
  return typeof rule === 'string' ? undefined : rule;
}

/** Of a method without a rule, or for callers over all projects alone. */
export const notForProjects = (rule: 'every project' | undefined): PermissionError =>
  rule === undefined
    ? new PermissionError({
        reason: 'METHOD_NOT_LISTED',
        why: 'a token of projects may not call this: the master has no rule for it',
      })
    : new PermissionError({
        reason: 'EVERY_PROJECT_NEEDED',
        why: 'a token that is bound to projects may not call this: it takes one over all projects',
      });

const checkedBy = async (rule: Checked, scope: Scope, request: unknown): Promise<unknown> =>
  rule.check?.(scope, request as never);

const replaced = (checked: unknown): boolean => typeof checked === 'object' && checked !== null;

async function* eachChecked<Request>(
  rule: Checked,
  scope: Scope,
  requests: AsyncIterable<Request>,
): AsyncGenerator<Request> {
  for await (const request of requests) {
    await checkedBy(rule, scope, request);
    yield request;
  }
}

async function* afterCheck<Response>(
  checked: Promise<unknown>,
  answers: () => AsyncIterable<Response>,
): AsyncGenerator<Response> {
  await checked;
  yield* answers();
}

/**
 * A page of the first project, then of the next: each by the index of its project. The token
 * of a page is the project, ":" and that project's own token.
 */
async function inTurn(
  own: readonly string[],
  request: Page,
  read: (page: Page) => Promise<NextPage>,
): Promise<NextPage> {
  if (request.project) {
    if (own.includes(request.project)) return read(request);
    throw otherProject(own);
  }
  const [only = '', ...others] = own;
  if (others.length === 0) return read({ ...request, project: only });
  const { project, pageToken } = placeOf(request.pageToken, own);
  const answer = await read({ ...request, project, pageToken });
  const next = own[own.indexOf(project) + 1];
  if (answer.nextPageToken !== '') {
    return { ...answer, nextPageToken: `${project}:${answer.nextPageToken}` };
  }
  return { ...answer, nextPageToken: next === undefined ? '' : `${next}:` };
}

function placeOf(token: string, own: readonly string[]): { project: string; pageToken: string } {
  if (token === '') return { project: own[0] ?? '', pageToken: '' };
  const at = token.indexOf(':');
  const project = token.slice(0, Math.max(at, 0));
  if (own.includes(project)) return { project, pageToken: token.slice(at + 1) };
  const problem = 'must be a next_page_token of this list';
  throw new ValidationError({ violations: [{ path: 'page_token', problem }] });
}
