import type { RequestContext } from '../../core/context.js';
import { PermissionError } from '../../core/errors.js';
import { isId } from '../../core/ids.js';
import type { Principal } from '../../core/principal.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import { attemptHolder } from '../../store/ops/tokens/holders.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';

/**
 * A bot is who its token says. What its messages name has to be its own: the bot, its leases,
 * and what is reported under them. Callers that are no bots pass.
 */
export class Own {
  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly leases: Leases,
  ) {}

  /** @throws PermissionError for another bot's id */
  bot({ principal }: { readonly principal: Principal }, botId: string): void {
    if (principal.role === 'bot' && principal.botId !== botId) throw otherBot();
  }

  /**
   * Returns the lease with the caller as its bot, so that the rules look at that as well. A
   * lease that is valid is compared in memory.
   *
   * @throws PermissionError for another bot's lease, also one that has ended
   */
  async lease(ctx: RequestContext, lease: Lease | undefined): Promise<Lease | undefined> {
    const { role, botId } = ctx.principal;
    if (role !== 'bot' || !lease) return lease;
    // Who has not registered has no lease.
    if (botId === undefined || (lease.botId ?? botId) !== botId) throw otherBot();
    const live = this.leases.find(lease);
    const holder = live?.botId ?? (await this.#earlierHolder(ctx, lease));
    if (holder !== undefined && holder !== botId) throw otherBot();
    return { ...lease, botId };
  }

  /** For requests that name a lease. @throws PermissionError */
  async under<Request extends { lease?: Lease | undefined }>(
    ctx: RequestContext,
    request: Request,
  ): Promise<Request> {
    if (ctx.principal.role !== 'bot') return request;
    return { ...request, lease: await this.lease(ctx, request.lease) };
  }

  #earlierHolder(ctx: RequestContext, { jobId, fence }: Lease): Promise<string | undefined> {
    if (!isId(jobId) || !Number.isSafeInteger(fence)) return Promise.resolve(undefined);
    return this.store.run(ctx, attemptHolder, { jobId, fence });
  }
}

const otherBot = () =>
  new PermissionError({
    reason: 'OTHER_BOT',
    why: 'this token is that of another bot: each may name itself and its own leases only',
  });
