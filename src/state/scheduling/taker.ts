import type { ClaimedJob } from '../../store/rows.js';
import type { Offer } from './matching.js';

/** Free slots announced on a stream, or a waiting AssignJob. */
export interface Taker {
  readonly botId: string;
  readonly offer: Offer;
  /** TTL of its leases, milliseconds. */
  readonly ttlMs: number;
  /** Its claims are acknowledgements. */
  readonly acknowledged: boolean;
  /** Jobs it can still receive, without claims under way. */
  credit: number;
  /** Claims under way. Set by Dispatch. */
  claiming: number;
  /** It has left. */
  gone: boolean;
  /** Called with a claimed job, which is on disk; `credit` is already lowered. */
  receive(job: ClaimedJob): void;
  /** Called when a claim found no job; `credit` is as before. */
  missed?(): void;
}
