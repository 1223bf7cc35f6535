import { type Level, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { clipped, LogRate } from './log-bounds.js';
import { LogDestination, withoutBlocking } from './log-destination.js';
import { plain, plainJson, plainLines } from './unseen.js';

export type { Logger };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['auto', 'json', 'pretty'] as const;

export interface LogOptions {
  readonly level: Level | 'silent';
  /** "auto": pretty on a terminal, JSON lines elsewhere. */
  readonly format: (typeof logFormats)[number];
}

const standardError = 2;
/** Of pino's levels: below it, who reads wants everything. */
const debugLevel = 20;

/** Lines that did not get into the log: since the start, of the whole process. */
let lost = () => 0;
export const lostLogLines = (): number => lost();

/**
 * Logs go to standard error, or to the file of a descriptor; standard output is for answers. No part ever waits for who reads
 * them, and no caller can fill them: lines are clipped, and those of one peer bounded.
 *
 * @param copy takes each line as well, as JSON
 */
export function createLog(
  options: LogOptions,
  copy?: (line: string) => void,
  descriptor = standardError,
): Logger {
  const { format, level } = options;
  const asPretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
  const written = asPretty ? prettyLines() : plainJson;
  const destination = new LogDestination(withoutBlocking(descriptor), (count) =>
    log.warn({ count }, 'log lines dropped'),
  );
  const rate = new LogRate();
  lost = () => destination.droppedInAll + rate.suppressedInAll;
  process.once('exit', () => destination.writeRest());
  const isBounded = (pino.levels.values[level] ?? Number.POSITIVE_INFINITY) > debugLevel;
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      ...(isBounded && { hooks: { logMethod: bounded(rate) } }),
    },
    {
      write(line: string) {
        const short = clipped(line);
        if (isBounded && !rate.letsBytes(short.length)) return;
        copy?.(short);
        destination.write(written(short));
      },
    },
  );
  return log;
}

export const silentLog: Logger = pino({ level: 'silent' });

type LogMethod = NonNullable<NonNullable<pino.LoggerOptions['hooks']>['logMethod']>;

/** Leaves out lines that a peer has had too many of. */
const bounded = (rate: LogRate): LogMethod =>
  function logWithin(args, method) {
    const [fields, event] = typeof args[0] === 'string' ? [{}, args[0]] : [args[0], args[1]];
    const before = rate.lets(fields, String(event));
    if (before === undefined) return;
    if (before === 0) method.apply(this, args);
    else method.apply(this, [{ ...(fields as object), suppressed: before }, String(event)]);
  };

/** Lines for people, without what a terminal would obey. */
function prettyLines(): (line: string) => string {
  const pretty = prettyFactory({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss' });
  return (line) => pretty(forTerminal(JSON.parse(line)));
}

function forTerminal(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return name === 'stack' ? plainLines(value) : plain(value);
  if (Array.isArray(value)) return value.map((item) => forTerminal(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [plain(key), forTerminal(inner, key)]));
}
