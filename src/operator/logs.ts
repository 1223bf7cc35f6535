import { StringDecoder } from 'node:string_decoder';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { failureOf, isAway } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { LogSource } from '../gen/pandafuzz/v1/heartbeat.js';
import { JobState } from '../gen/pandafuzz/v1/job.js';
import { findBot } from './fleet.js';
import { plain } from './format.js';
import { findId } from './ids.js';
import { complain } from './output.js';
import { asking, type Flags } from './session.js';
import type { CallOptions } from './submit.js';

/** `pandafuzz job log` and `pandafuzz bot log`. */

const lookEveryMs = 1000;
/** A log without a newline is cut into lines of this many characters. */
const longestLine = 64 * 1024;

export interface LogFlags extends Flags {
  readonly follow?: boolean;
  /** Of the job's bot, in place of the engine's. */
  readonly botLog?: boolean;
}

/** A part of a log, and whether more of it may come. */
interface Part {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly nextOffset: number;
  readonly fence?: number;
  readonly isLast: boolean;
}

/** Where a reader is. */
interface Place {
  readonly offset: number;
  readonly fence: number;
}

export function showJobLog(flags: LogFlags, text: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { jobs } = connection;
    const jobId = await findId(connection, text, 'job', options);
    const source = flags.botLog ? LogSource.BOT : LogSource.ENGINE;
    const read = async ({ offset, fence }: Place): Promise<Part> => {
      const request = { jobId, source, offset, fence };
      const part = await unary(jobs, jobs.readJobLog, request, options);
      return { ...part, isLast: part.isOver && ended.has(part.state) };
    };
    await show(connection, flags, read, options);
  });
}

export function showBotLog(flags: LogFlags, idOrName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { bots } = connection;
    const botId = await findBot(connection, idOrName, options);
    const read = async ({ offset }: Place): Promise<Part> => ({
      ...(await unary(bots, bots.readBotLog, { botId, offset }, options)),
      isLast: false,
    });
    await show(connection, flags, read, options);
  });
}

const ended: ReadonlySet<JobState> = new Set([
  JobState.COMPLETED,
  JobState.CANCELLED,
  JobState.DEAD,
]);

/** Prints what there is; with `follow` goes on until the job has ended, or somebody stops it. */
async function show(
  connection: Connection,
  flags: LogFlags,
  read: (place: Place) => Promise<Part>,
  options: Required<CallOptions>,
): Promise<void> {
  const print = flags.json ? printJson : linePrinter();
  let place: Place = { offset: 0, fence: 0 };
  let waitsFor = '';
  for (;;) {
    const part = await read(place).catch((error) => {
      const why = passing(error, connection.address);
      if (!flags.follow || why === undefined) throw error;
      if (why !== waitsFor) complain(why);
      waitsFor = why;
      return undefined;
    });
    if (part) {
      waitsFor = '';
      const fence = part.fence ?? 0;
      const isSame = fence === place.fence;
      // Of an earlier attempt nothing more comes.
      if (!isSame && place.fence !== 0) print.end();
      const gapBytes = isSame && place.offset > 0 ? part.offset - place.offset : part.offset;
      print.part(part, gapBytes);
      place = { offset: part.nextOffset, fence };
    }
    if (!flags.follow || part?.isLast) break;
    await sleep(systemClock, lookEveryMs, options.signal);
  }
  print.end();
}

/** What a follower waits for; undefined: it will not pass. */
function passing(error: unknown, address: string): string | undefined {
  if (isAway(error)) return `no master answers at ${address}; waiting for it`;
  const failure = failureOf(error);
  const isPassing = ['NO_LOG', 'BOT_IS_OFFLINE', 'BOT_IS_SILENT'].includes(failure?.reason ?? '');
  return isPassing ? `${failure?.message}; waiting` : undefined;
}

/** Whole lines, cleaned for the terminal; characters may be cut between two parts. */
function linePrinter() {
  let decoder = new StringDecoder('utf8');
  let rest = '';
  const write = (line: string) =>
    process.stdout.write(`${line.replace(/\r$/, '').split('\t').map(plain).join('\t')}\n`);
  return {
    part({ data }: Part, gapBytes: number) {
      if (gapBytes > 0) {
        this.end();
        complain(`${gapBytes} bytes before this are no longer kept`);
      }
      const lines = (rest + decoder.write(Buffer.from(data))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) write(line);
      for (; rest.length > longestLine; rest = rest.slice(longestLine)) {
        write(rest.slice(0, longestLine));
      }
    },
    end() {
      rest += decoder.end();
      decoder = new StringDecoder('utf8');
      if (rest !== '') write(rest);
      rest = '';
    },
  };
}

/** One JSON document a part, in a line of its own; `data` is the log as base64. */
const printJson = {
  part({ data, offset, nextOffset, fence = 0 }: Part) {
    if (data.length === 0) return;
    const base64 = Buffer.from(data).toString('base64');
    process.stdout.write(`${JSON.stringify({ offset, nextOffset, fence, data: base64 })}\n`);
  },
  end() {},
};
