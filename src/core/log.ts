import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['auto', 'json', 'pretty'] as const;

export interface LogOptions {
  readonly level: Level | 'silent';
  /** "auto": pretty on a terminal, JSON lines elsewhere. */
  readonly format: (typeof logFormats)[number];
}

/**
 * Logs go to standard error; standard output is for answers.
 *
 * @param copy takes each line as well, as JSON
 */
export function createLog(options: LogOptions, copy?: (line: string) => void): Logger {
  const asPretty =
    options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true);
  const destination: DestinationStream = asPretty
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' })
    : // Asynchronous; the rest is written when the process ends.
      pino.destination({ dest: 2, sync: false });
  return pino(
    { level: options.level, base: { pid: process.pid } },
    copy ? copied(destination, copy) : destination,
  );
}

export const silentLog: Logger = pino({ level: 'silent' });

const copied = (destination: DestinationStream, copy: (line: string) => void) => ({
  write(line: string) {
    copy(line);
    destination.write(line);
  },
});
