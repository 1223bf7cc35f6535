import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type {
  ListInputsPutAsideRequest,
  ListInputsPutAsideResponse,
  PutInputsAsideRequest,
  PutInputsAsideResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import { listPutAside, putAside } from '../../store/ops/corpus/put-aside.js';
import type { PutAsideReason } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import { checkLease } from '../messages/checks.js';
import { corpusOf, putAsideReason, putAsideRecord } from '../messages/corpus-records.js';
import { pageSizeOf } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';

/** Inputs of one call. */
const mostInputs = 1000;
const largestInputBytes = 2 ** 20;

/** Inputs that a build crashes or hangs on while it loads its corpus: it does without them. */
export class PutAside {
  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ValidationError, NotFoundError (job), StaleLeaseError */
  async add(ctx: RequestContext, request: PutInputsAsideRequest): Promise<PutInputsAsideResponse> {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(request.lease, found);
    const { length } = request.inputs;
    found.expect(length >= 1 && length <= mostInputs, 'inputs', `must be 1 to ${mostInputs}`);
    const inputs = request.inputs.slice(0, mostInputs).map((input, index) => {
      const { sha256, sizeBytes } = input;
      const reason = putAsideReason(input.reason);
      found
        .sha256(sha256, `inputs[${index}].sha256`)
        .whole(sizeBytes, `inputs[${index}].size_bytes`, { min: 0, max: largestInputBytes })
        .expect(reason !== undefined, `inputs[${index}].reason`, 'must say why it is put aside');
      return { sha256, sizeBytes, reason: reason as PutAsideReason };
    });
    found.throwIfAny();
    const input = { jobId, attempt, fence, inputs, now: this.clock.now() };
    return { added: await this.store.run(ctx, putAside, input) };
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: ListInputsPutAsideRequest,
  ): Promise<ListInputsPutAsideResponse> {
    const found = new Violations();
    const of = corpusOf(request.corpus, found);
    const { targetSha256, cursor } = request;
    const limit = pageSizeOf({ ...request, pageToken: '' }, found);
    found
      .sha256(targetSha256, 'target_sha256')
      .whole(cursor, 'cursor', { min: 0, max: Number.MAX_SAFE_INTEGER })
      .throwIfAny();
    const rows = await this.store.run(ctx, listPutAside, { ...of, targetSha256, cursor, limit });
    return { inputs: rows.map(putAsideRecord) };
  }
}
