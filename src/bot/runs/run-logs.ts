import { LogTail } from '../../core/log-tail.js';
import { type LogPart, LogSource, type ReadLog } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';

/** Of one run's output, and of the bot's own log, as much is kept and sent, bytes. */
export const longestLogBytes = 64 * 1024;
/** Ended runs whose output is still there. */
const mostEnded = 32;

interface RunLog {
  readonly output: LogTail;
  isOver: boolean;
}

/** The last of what the engines of the bot's runs printed, and of its own log, in memory. */
export class RunLogs {
  readonly #runs = new Map<string, RunLog>();
  readonly #ended: string[] = [];

  constructor(private readonly own: LogTail) {}

  /** The output of a new run. */
  begin(lease: Lease): LogTail {
    const output = new LogTail(longestLogBytes);
    this.#runs.set(keyOf(lease), { output, isOver: false });
    return output;
  }

  /** The run has ended; its output stays for a while. */
  end(lease: Lease): void {
    const key = keyOf(lease);
    const run = this.#runs.get(key);
    if (!run || run.isOver) return;
    run.isOver = true;
    this.#ended.push(key);
    while (this.#ended.length > mostEnded) this.#runs.delete(this.#ended.shift() as string);
  }

  /** The last of a run's output; undefined where there is none. */
  tailOf(lease: Lease): Buffer | undefined {
    const data = this.#runs.get(keyOf(lease))?.output.read(0).data;
    return data && data.length > 0 ? data : undefined;
  }

  answer({ requestId, source, lease, offset }: ReadLog): LogPart {
    const about = { requestId, isUnknown: false, isOver: false };
    if (source === LogSource.BOT) {
      const slice = this.own.read(offset);
      return { ...about, ...slice, data: lease ? linesOf(slice.data, lease.jobId) : slice.data };
    }
    const run = lease && this.#runs.get(keyOf(lease));
    if (!run)
      return { ...about, data: Buffer.alloc(0), offset, nextOffset: offset, isUnknown: true };
    return { ...about, ...run.output.read(offset), isOver: run.isOver };
  }
}

/** The lines that name the job. */
function linesOf(log: Buffer, jobId: string): Buffer {
  const lines = log.toString('utf8').split('\n');
  return Buffer.from(lines.flatMap((line) => (line.includes(jobId) ? [`${line}\n`] : [])).join(''));
}

const keyOf = ({ jobId, fence }: Lease) => `${jobId}/${fence}`;
