import { OperationContext } from '../../src/core/context.js';
import { DomainError, messageOf } from '../../src/core/errors.js';
import { silentLog } from '../../src/core/log.js';
import type { State } from '../../src/state/state.js';
import type { Random } from './random.js';
import type { Owner } from './timeline.js';
import type { World } from './world.js';

/** No answer came, or none that says what became of the call. */
export class Unanswered extends Error {}

export interface Caller extends Owner {
  readonly name: string;
  readonly random: Random;
}

export type Work<Answer> = (state: State, ctx: OperationContext) => Promise<Answer>;

/** Errors of the domain that say that the call may be repeated: nothing is known of it. */
const passing = new Set([
  'TimeoutError',
  'CancelledError',
  'RetryExhaustedError',
  'OverloadError',
  'ShuttingDownError',
  'DiskFullError',
  'SqliteFault',
]);

/**
 * Unary calls over a network that loses requests and answers, and brings some twice.
 *
 * @throws Unanswered; the DomainError of the master
 */
export function call<Answer>(
  world: World,
  caller: Caller,
  { name, timeoutMs, work }: { name: string; timeoutMs: number; work: Work<Answer> },
): Promise<Answer> {
  const { timeline, weather } = world;
  const { random } = caller;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const about = `${caller.name}: ${name}`;
  const fail = (why: string) => () => reject(new Unanswered(why));
  const timer = timeline.after(timeoutMs, `${about} unanswered`, fail('no answer'), caller);
  const fate = weather.ofCall(random);
  const back = (label: string, settle: () => void) => {
    if (fate.isAnswerLost) return;
    const answer = () => {
      timer.cancel();
      settle();
    };
    timeline.after(weather.networkMs(random), `${about} ${label}`, answer, caller);
  };
  const send = (isCopy: boolean) =>
    timeline.after(weather.networkMs(random), `${about} arrives`, () => {
      world.whenAwake(() => {
        const { master } = world;
        if (!master?.isServing) return isCopy || back('refused', fail('the master is away'));
        serve(world, work, { name, timeoutMs }).then(
          (answer) => isCopy || master.isOver || back('answered', () => resolve(answer)),
          (error) => {
            if (!isCopy && !master.isOver) back(`failed (${error.name})`, () => reject(error));
          },
        );
      });
    });
  if (!fate.isLost) send(false);
  if (fate.isTwice) send(true);
  return promise;
}

async function serve<Answer>(
  world: World,
  work: Work<Answer>,
  { name, timeoutMs }: { name: string; timeoutMs: number },
): Promise<Answer> {
  const { master } = world;
  if (!master) throw new Unanswered('the master is away');
  const about = { operation: name, timeoutMs, requestId: '', log: silentLog };
  const ctx = new OperationContext({ ...about, clock: master.clock });
  try {
    return await work(master.state, ctx);
  } catch (error) {
    const isKnown = error instanceof DomainError || passing.has((error as Error).name);
    if (!isKnown && !master.isOver) world.violated('internal error', `${name}: ${stackOf(error)}`);
    throw isPassing(error) ? new Unanswered(messageOf(error)) : error;
  } finally {
    ctx.end();
  }
}

const isPassing = (error: unknown) => error instanceof Error && passing.has(error.name);

const stackOf = (error: unknown) =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
