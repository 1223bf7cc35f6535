import { noteText } from '../../core/run-notes.js';
import type { RunNote, RunNoteKind } from '../../gen/pandafuzz/v1/job.js';

/** A note within the bounds of the contract. */
export const note = (kind: RunNoteKind, text: string): RunNote => ({ kind, text: noteText(text) });

/** "7.1 times", "once": a rate as people read it. */
export const times = (rate: number): string =>
  `${rate >= 10 ? Math.round(rate) : Number(rate.toPrecision(2))} times`;

/** "300,000". */
export const format = (count: number): string => count.toLocaleString('en-US');
