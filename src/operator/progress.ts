import { type Options, SingleBar } from 'cli-progress';
import { createLogUpdate } from 'log-update';
import type { TransferOptions } from '../client/transfer.js';
import { bytes } from './format.js';

const style: Options = {
  format: '{what} {bar} {percentage}% of {size}, {eta} s left',
  stream: process.stderr,
  clearOnComplete: true,
  hideCursor: true,
  barsize: 24,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  stopOnComplete: true,
};

/** Shows a transfer as a bar on standard error while `transfer` runs, if that is a terminal. */
export async function withProgress<T>(
  what: string,
  transfer: (onProgress: NonNullable<TransferOptions['onProgress']>) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return transfer(() => {});
  const bar = new SingleBar(style);
  let started = false;
  try {
    return await transfer((doneBytes, totalBytes) => {
      if (!started) bar.start(totalBytes, 0, { what, size: bytes(totalBytes) });
      started = true;
      bar.update(doneBytes);
    });
  } finally {
    if (started) bar.stop();
  }
}

export type Count = (soFar: string) => void;

/** Shows how far work of unknown length is, as a line on standard error, if that is a terminal. */
export async function withCount<T>(work: (count: Count) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work(() => {});
  const line = createLogUpdate(process.stderr);
  try {
    return await work((soFar) => line(soFar));
  } finally {
    line.clear();
    line.done();
  }
}
