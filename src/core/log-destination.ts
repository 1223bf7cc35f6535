import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { codeOf } from './errors.js';

/** Bytes of lines that may wait for who reads the log; further lines are dropped. */
const mostWaitingBytes = 1024 * 1024;
/** Bytes of one write. */
const writeBytes = 64 * 1024;
/** Pauses before the next try, milliseconds: of a full pipe or terminal, and of a full disk. */
const fullPauseMs = 50;
const failedPauseMs = 1000;

/**
 * Lines to a file descriptor, for which nobody waits. While a terminal is stopped (Ctrl-S), a
 * pipe not read or a disk full, lines wait within a bound; then they are dropped, and counted.
 *
 * pino's own destination (sonic-boom) would repeat its last write without end when a process
 * ends whose log cannot be written.
 */
export class LogDestination {
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What is being written, or is to be tried again. */
  #current: Buffer = Buffer.alloc(0);
  #isWriting = false;
  #pause: NodeJS.Timeout | undefined;
  #dropped = 0;
  #droppedInAll = 0;
  #isClosed = false;

  /** @param onDropped called when lines are written again, with how many were dropped */
  constructor(
    private readonly fd: number,
    private readonly onDropped: (count: number) => void = () => {},
  ) {}

  /** Lines that were dropped since the start. */
  get droppedInAll(): number {
    return this.#droppedInAll;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#isClosed || this.#waitingBytes + bytes > mostWaitingBytes) {
      this.#dropped++;
      this.#droppedInAll++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#proceed();
  }

  /** Writes what can be written without waiting: for the end of the process. */
  writeRest(): void {
    if (this.#isWriting) return; // stuck: or it would have ended before the process
    for (let rest = this.#next(); rest.length > 0; rest = this.#next()) {
      try {
        this.#wrote(writeSync(this.fd, rest));
      } catch {
        return;
      }
    }
  }

  #next(): Buffer {
    if (this.#current.length > 0 || this.#waiting.length === 0) return this.#current;
    let bytes = 0;
    let count = 0;
    for (const line of this.#waiting) {
      count++;
      bytes += line.length;
      if (bytes >= writeBytes) break;
    }
    this.#current = Buffer.from(this.#waiting.splice(0, count).join(''));
    return this.#current;
  }

  #proceed(): void {
    if (this.#isWriting || this.#pause) return;
    const bytes = this.#next();
    if (bytes.length === 0) return;
    this.#isWriting = true;
    write(this.fd, bytes, 0, bytes.length, null, (error, count) => {
      this.#isWriting = false;
      if (error) return this.#failed(codeOf(error));
      this.#wrote(count);
      if (this.#dropped > 0) {
        const dropped = this.#dropped;
        this.#dropped = 0;
        this.onDropped(dropped);
      }
      this.#proceed();
    });
  }

  #wrote(count: number): void {
    this.#waitingBytes -= count;
    this.#current = this.#current.subarray(count);
  }

  #failed(code: string | undefined): void {
    if (code === 'EPIPE' || code === 'EBADF') {
      this.#isClosed = true; // nobody will ever read
      this.#waiting = [];
      this.#current = Buffer.alloc(0);
      this.#waitingBytes = 0;
      return;
    }
    const pauseMs = code === 'EAGAIN' ? fullPauseMs : failedPauseMs;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#proceed();
    }, pauseMs).unref();
  }
}

/**
 * A descriptor of standard error that returns EAGAIN where writing to it would block. A thread
 * that blocks would be one of the four that Node has for files, and the process could not end.
 *
 * @returns standard error itself where it is a file, or where that cannot be had
 */
export function withoutBlocking(fd: number): number {
  try {
    const kind = fstatSync(fd);
    if (kind.isFile()) return fd;
    if (kind.isSocket()) {
      new Socket({ fd, readable: false, writable: true }).unref(); // libuv's, which never block
      return fd;
    }
    // A description of our own: the terminal or pipe stays as it is for others.
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY, O_APPEND } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND);
  } catch {
    return fd;
  }
}
