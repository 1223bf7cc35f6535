import type { Clock } from '../core/clock.js';
import type { RequestContext } from '../core/context.js';
import { QuotaError } from '../core/errors.js';

export interface CallerLimits {
  /** Calls that are open at once on one connection. */
  readonly callsPerConnection: number;
  /** Bytes that one caller may send in uploads within a day (UTC). */
  readonly uploadBytesPerDay: number;
}

/** Callers that are counted in a day; those beyond it count as one. */
const mostCallers = 100_000;
const dayMs = 86_400_000;

/** Quotas of single callers, in memory: a restart begins anew. */
export class CallerQuotas {
  readonly #calls = new WeakMap<object, number>();
  /** Bytes of the day, by caller. */
  readonly #sent = new Map<string, number>();
  #day = 0;

  constructor(
    private readonly limits: CallerLimits,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /**
   * Notes a call of a connection until `left`; undefined is one over HTTP, where rpc/connect has
   * a bound of its own.
   *
   * @returns why it is refused, if it is
   */
  entered(session: object | undefined): QuotaError | undefined {
    if (!session) return undefined;
    const open = (this.#calls.get(session) ?? 0) + 1;
    this.#calls.set(session, open);
    const { callsPerConnection: most } = this.limits;
    if (open <= most) return undefined;
    return new QuotaError({
      subject: 'limits.max_calls_per_connection',
      why: `this connection has ${most} calls open already (limits.max_calls_per_connection): end some, or use more connections`,
    });
  }

  left(session: object | undefined): void {
    if (session) this.#calls.set(session, (this.#calls.get(session) ?? 1) - 1);
  }

  /** Counts the bytes of an upload. @throws QuotaError with the message that is too much */
  async *counted<Message>(
    ctx: RequestContext,
    address: string,
    messages: AsyncIterable<Message>,
  ): AsyncGenerator<Message> {
    for await (const message of messages) {
      this.#count(ctx.principal.tokenId ?? address, bytesOf(message));
      yield message;
    }
  }

  #count(caller: string, bytes: number): void {
    const day = Math.floor(this.clock.now() / dayMs);
    if (day !== this.#day) this.#sent.clear();
    this.#day = day;
    const key = this.#sent.has(caller) || this.#sent.size < mostCallers ? caller : '';
    const sent = (this.#sent.get(key) ?? 0) + bytes;
    this.#sent.set(key, sent);
    const { uploadBytesPerDay: most } = this.limits;
    if (sent <= most) return;
    throw new QuotaError({
      subject: 'limits.max_upload_per_day',
      why: `this caller has sent ${most} bytes today, as much as it may (limits.max_upload_per_day): go on tomorrow (UTC), or raise the setting`,
    });
  }
}

/** Bytes of the files in a message of an upload: of a chunk, or of whole inputs. */
function bytesOf(message: unknown): number {
  const { $case, value } = Object(Object(message).message);
  if ($case === 'chunk') return value.length;
  if ($case !== 'inputs') return 0;
  const inputs: readonly { content: Uint8Array }[] = value.inputs;
  return inputs.reduce((sum, { content }) => sum + content.length, 0);
}
