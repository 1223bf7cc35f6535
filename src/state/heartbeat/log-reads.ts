import type { Clock } from '../../core/clock.js';
import { OverloadError, PreconditionError, ValidationError } from '../../core/errors.js';
import type { LogPart, ReadLog } from '../../gen/pandafuzz/v1/heartbeat.js';
import { longestLogBytes, offline } from '../jobs/logs.js';

/** Questions to one bot at once. */
const mostReads = 32;
/** For the bot to answer, milliseconds. */
const answerWithinMs = 5000;

/** Questions for a bot's logs that wait for its answer. Each ends, at the latest after 5 s. */
export class LogReads {
  readonly #waiting = new Map<string, (part: LogPart | Error) => void>();
  #count = 0;

  constructor(
    private readonly clock: Clock,
    private readonly send: (question: ReadLog) => void,
  ) {}

  /** @throws OverloadError, PreconditionError (BOT_IS_SILENT, BOT_IS_OFFLINE) */
  ask(question: Omit<ReadLog, 'requestId'>): Promise<LogPart> {
    if (this.#waiting.size >= mostReads) {
      throw new OverloadError({ what: "too many readers of this bot's logs", retryAfterMs: 1000 });
    }
    const requestId = String(++this.#count);
    return new Promise((resolve, reject) => {
      const timer = this.clock.schedule(answerWithinMs, () => settle(silent()));
      const settle = (part: LogPart | Error) => {
        timer.cancel();
        this.#waiting.delete(requestId);
        if (part instanceof Error) reject(part);
        else resolve(part);
      };
      this.#waiting.set(requestId, settle);
      this.send({ ...question, requestId });
    });
  }

  /** @throws ValidationError for more than was asked for */
  answered(part: LogPart): void {
    if (part.data.length > longestLogBytes) {
      const problem = `must be at most ${longestLogBytes} bytes`;
      throw new ValidationError({ violations: [{ path: 'log_part.data', problem }] });
    }
    this.#waiting.get(part.requestId)?.(part);
  }

  /** The stream has ended. */
  end(): void {
    for (const settle of [...this.#waiting.values()]) settle(offline());
  }
}

const silent = () =>
  new PreconditionError({
    reason: 'BOT_IS_SILENT',
    why: `the bot did not send its log within ${answerWithinMs / 1000} s; try again`,
  });
