import { clipUtf8 } from './clip.js';

/** What the contract allows of notes about a run. */
export const mostNotes = 8;
const longestNoteBytes = 256;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it removes
const control = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

/** Text of a note within the bounds of the contract: foreign text in it may be anything. */
export const noteText = (text: string): string =>
  clipUtf8(
    text
      .slice(0, 4 * longestNoteBytes)
      .toWellFormed()
      .replace(control, ' ')
      .trim(),
    longestNoteBytes,
  );
