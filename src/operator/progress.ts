import { type Options, SingleBar } from 'cli-progress';
import { createLogUpdate } from 'log-update';
import type { TransferOptions } from '../client/transfer.js';
import { bytes } from './format.js';
import { isLiveTerminal } from './live-terminal.js';
import { complain } from './output.js';

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

type OnProgress = NonNullable<TransferOptions['onProgress']>;
type OnTrouble = NonNullable<TransferOptions['onTrouble']>;

/**
 * Shows a transfer as a bar on standard error while `transfer` runs, if that is a terminal, and
 * says anywhere that it gets no further.
 */
export async function withProgress<T>(
  what: string,
  transfer: (onProgress: OnProgress, onTrouble: OnTrouble) => Promise<T>,
): Promise<T> {
  const bar = isLiveTerminal(process.stderr) ? new SingleBar(style) : undefined;
  let started = false;
  const stop = () => {
    if (started) bar?.stop();
    started = false;
  };
  const onProgress: OnProgress = (doneBytes, totalBytes) => {
    if (!started) bar?.start(totalBytes, 0, { what, size: bytes(totalBytes) });
    started = true;
    bar?.update(doneBytes);
  };
  const onTrouble: OnTrouble = (why, forMs) => {
    stop();
    const seconds = Math.round(forMs / 1000);
    complain(`${what}: no further for ${seconds} s, trying again: ${why}`);
  };
  return transfer(onProgress, onTrouble).finally(stop);
}

export type Count = (soFar: string) => void;

/** Shows how far work of unknown length is, as a line on standard error, if that is a terminal. */
export async function withCount<T>(work: (count: Count) => Promise<T>): Promise<T> {
  if (!isLiveTerminal(process.stderr)) return work(() => {});
  const line = createLogUpdate(process.stderr);
  try {
    return await work((soFar) => line(soFar));
  } finally {
    line.clear();
    line.done();
  }
}
