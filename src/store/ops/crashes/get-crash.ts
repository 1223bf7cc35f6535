import { type CrashRow, crashColumns, type ReproductionRow } from '../../crash-rows.js';
import { readOperation } from '../../operation.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** A crash with all there is to know of it. */
export interface WholeCrash {
  crash: CrashRow;
  /** JSON array of StackFrame. */
  stack: string;
  /** CrashContext as protobuf JSON. */
  context: string | null;
  report: string;
  /** The newest first. */
  reproductions: ReproductionRow[];
}

const select = statement<
  { id: string },
  CrashRow & Pick<WholeCrash, 'stack' | 'context' | 'report'>
>(`SELECT ${crashColumns}, stack, context, report FROM crashes WHERE id = @id`);
const runs = statement<{ id: string; limit: number }, ReproductionRow>(`
  SELECT job_id, bot_id, target_sha256, runs, crashes, at, log FROM reproductions
  WHERE crash_id = @id ORDER BY id DESC LIMIT @limit`);

export const getCrash = readOperation(
  'get_crash',
  function* (input: { id: string; reproductions: number }): Steps<WholeCrash | undefined> {
    const row = yield* one(select, input);
    if (!row) return undefined;
    const { stack, context, report, ...crash } = row;
    const reproductions = yield* all(runs, { id: input.id, limit: input.reproductions });
    return { crash, stack, context, report, reproductions };
  },
);
