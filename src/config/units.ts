import { z } from 'zod';
import {
  addressesWord,
  addressWord,
  type Bounds,
  durationWithin,
  sizeWithin,
  type WordReader,
} from './quantities.js';

/** Milliseconds, within these bounds. */
export const duration = (bounds: Bounds) => wordOf(durationWithin(bounds));

/** Bytes, within these bounds. */
export const size = (bounds: Bounds) => wordOf(sizeWithin(bounds));

export const address = wordOf(addressWord);

const listed = z.array(z.string()).transform((list) => list.join(','));

/** One address, or several: a list, or a text with commas. */
export const addresses = z
  .union([z.string(), listed], { error: `must be ${addressesWord.expected}` })
  .pipe(wordOf(addressesWord));

function wordOf<Value>({ expected, read }: WordReader<Value>) {
  const error = `must be ${expected}`;
  return z.string({ error }).transform((text, ctx) => {
    const value = read(text);
    if (value !== undefined) return value;
    ctx.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}
