import { status as Code, type ServiceDefinition } from '@grpc/grpc-js';
import { type AuditNote, Change } from '../core/audit.js';
import type { Clock } from '../core/clock.js';
import type { RequestContext } from '../core/context.js';
import { DomainError, OverloadError, PermissionError } from '../core/errors.js';
import { Role } from '../gen/pandafuzz/v1/identity_service.js';
import type { Audit } from '../state/access/audit.js';
import { addressOf, type Caller } from './access.js';
import { permissions } from './permissions.js';
import { definitions, packageName, serviceNames, services } from './services.js';

/** A call, as the audit log sees it. */
interface Audited {
  getPath(): string;
  getPeer(): string;
}
type Asker = Pick<RequestContext, 'requestId' | 'principal' | 'change'>;

/** Sends changes and refusals of calls to the audit log. */
export class CallAudit {
  constructor(
    private readonly audit: Pick<Audit, 'append' | 'refused'>,
    private readonly clock: Clock,
    private readonly entries: { inc(labels: { kind: string }, by?: number): void },
  ) {}

  /** Undefined for calls that change nothing, and for bots' reports. */
  changeOf(call: Audited, ctx: Asker): Change | undefined {
    if (!changes.has(call.getPath())) return undefined;
    const change: Change = new Change(() => {
      return this.#noteOf(call, ctx, { kind: 'change', outcome: 'OK', request: change.request });
    });
    return change;
  }

  /**
   * Does the work of a call, whose change is in the log when this resolves; of a stream of
   * answers it is before the work begins.
   */
  noting<T>(ctx: RequestContext, call: Audited, work: () => Promise<T>): Promise<T> {
    return ctx.change ? this.#noted(ctx, ctx.change, call, work) : work();
  }

  async #noted<T>(
    ctx: RequestContext,
    change: Change,
    call: Audited,
    work: () => Promise<T>,
  ): Promise<T> {
    if (changes.get(call.getPath())?.isStream) await this.#append(ctx, change);
    const answer = await work();
    if (!change.isWritten) await this.#append(ctx, change);
    this.entries.inc({ kind: 'change' });
    return answer;
  }

  async #append(ctx: RequestContext, change: Change): Promise<void> {
    const note = change.take();
    if (!note) return;
    await this.audit.append(ctx, note);
    change.settle(true);
  }

  /** Notes a refusal by access, and every failure of a change. `code`: of its status. */
  refused(call: Audited, ctx: Asker, { code, error, byAccess = false }: Refused): void {
    const isRefusal = code === Code.UNAUTHENTICATED || code === Code.PERMISSION_DENIED;
    if (!isRefusal && !byAccess && !changes.has(call.getPath())) return;
    const reason = error instanceof DomainError && 'reason' in error.fields && error.fields.reason;
    const outcome = reason || Code[code];
    const { change } = ctx;
    const note = this.#noteOf(call, ctx, { kind: 'refusal', outcome, request: change?.request });
    this.audit.refused(note);
  }

  /** Appends what somebody did over HTTP, without a call of the contract. */
  async did(page: Audited, ctx: RequestContext, request: unknown): Promise<void> {
    await this.audit.append(
      ctx,
      this.#noteOf(page, ctx, { kind: 'change', outcome: 'OK', request }),
    );
    this.entries.inc({ kind: 'change' });
  }

  /** Notes that a page was refused, if it was. */
  page(page: Audited, { principal, refusal }: Caller): void {
    if (!refusal) return;
    const code = refusal instanceof PermissionError ? Code.PERMISSION_DENIED : Code.UNAUTHENTICATED;
    const isBusy = refusal instanceof OverloadError;
    const status = isBusy ? Code.RESOURCE_EXHAUSTED : code;
    const asker = { requestId: '', principal };
    this.refused(page, asker, { code: status, error: refusal, byAccess: true });
  }

  #noteOf(
    call: Audited,
    { requestId, principal, change }: Asker,
    what: { kind: 'change' | 'refusal'; outcome: string; request: unknown },
  ): AuditNote {
    const { name, tokenId = '', role = '' } = change?.caller ?? principal;
    const { kind, outcome, request } = what;
    const method = call.getPath().replace(`/${packageName}.`, '');
    return {
      ...{ kind, time: this.clock.now(), method, caller: name, tokenId, role },
      ...{ address: addressOf(call), requestId },
      ...{ about: aboutOf(request), outcome, count: 1 },
    };
  }
}

interface Refused {
  /** Of its status. */
  readonly code: Code;
  readonly error: unknown;
  /** Access refused it, for whatever reason. */
  readonly byAccess?: boolean;
}

/** What was asked for over HTTP, as a call. */
export const askedAt = (endpoint: string, address: string): Audited => ({
  getPath: () => endpoint,
  getPeer: () => `${address}:0`,
});

/** The message of a call, which its change is about. */
export function seen<Request>(ctx: RequestContext, request: Request): Request {
  if (ctx.change) ctx.change.request ??= request;
  return request;
}

/** The messages of a stream; its change is about the first. */
export const seenFirst = <Request>(
  ctx: RequestContext,
  requests: AsyncIterable<Request>,
): AsyncIterable<Request> => (ctx.change ? seenEach(ctx, requests) : requests);

async function* seenEach<Request>(ctx: RequestContext, requests: AsyncIterable<Request>) {
  for await (const request of requests) yield seen(ctx, request);
}

/**
 * Calls that people change things with, by their path: all but those that only read, and
 * those that only bots may make, which the history of jobs and crashes has.
 */
export const changes: ReadonlyMap<string, { readonly isStream: boolean }> = new Map(
  serviceNames.flatMap((service) => {
    const paths: ServiceDefinition = services[service];
    const entries = Object.entries<Method>(definitions[service].methods).map(
      ([name, method]) => [paths[name]?.path ?? '', method] as const,
    );
    return entries
      .filter(([path, { options }]) => {
        const allowed = permissions.get(path);
        const isBots = Array.isArray(allowed) && allowed.every((role) => role === 'bot');
        return options.idempotencyLevel !== 'NO_SIDE_EFFECTS' && !isBots;
      })
      .map(([path, { responseStream }]) => [path, { isStream: responseStream }] as const);
  }),
);

/** Of a generated method, what says whether it changes something. */
interface Method {
  readonly responseStream: boolean;
  readonly options: { readonly idempotencyLevel?: string };
}

/** Fields with a name or an id: the log has these, and no other. Environments may hold secrets. */
export const namingFields: ReadonlySet<string> = new Set([
  ...['id', 'jobId', 'botId', 'tokenId', 'groupId', 'groupIds', 'intoGroupId', 'crashIds'],
  ...['decisionId', 'project', 'campaign', 'key', 'name', 'targetName', 'targetSha256'],
  ...['sha256', 'sha256s', 'pool', 'by', 'fixedInSha256', 'projects', 'certificate'],
  // Of sign-ins: what the provider knows a person by, and whether a session began or ended.
  ...['subject', 'session'],
]);
/** Messages that are looked into. */
const holders: readonly string[] = ['spec', 'header', 'corpus', 'build'];
const longestValue = 128;
/** Ids of one list that are kept. */
const mostOfList = 8;

/** Names and ids in a request, as pairs. */
export function aboutOf(request: unknown): [field: string, value: string][] {
  if (typeof request !== 'object' || request === null) return [];
  return Object.entries(request).flatMap(([field, value]) => {
    if (holders.includes(field)) return aboutOf(value);
    if (field === 'role' && typeof value === 'number') return [[field, roleName(value)]];
    if (!namingFields.has(field) || value === '') return [];
    if (typeof value === 'string') return [[field, clipped(value)]];
    if (!Array.isArray(value) || value.length === 0) return [];
    const shown = value.slice(0, mostOfList).map((one) => clipped(String(one)));
    const more = value.length > mostOfList ? [`and ${value.length - mostOfList} more`] : [];
    return [[field, [...shown, ...more].join(', ')]];
  });
}

const roleName = (role: number) => (Role[role] ?? String(role)).toLowerCase();

const clipped = (text: string) =>
  text.length > longestValue
    ? `${text.slice(0, longestValue).toWellFormed()}…`
    : text.toWellFormed();
