import { spacesOutside } from '../brackets.js';

export interface Location {
  readonly file: string;
  readonly line: number;
}

const longestFile = 1024;
const numbersAtEnd = /(?::(\d{1,9}))(?::\d{1,9})?$|\((\d{1,9})(?:,\d{1,9})?\)$/;

/** "/src/a.cc:1:2", "C:\a.cc:1" or "/src/a.cc"; '' for "<null>" and the like. */
export function readLocation(text: string): Location {
  const trimmed = text.trim();
  const numbers = numbersAtEnd.exec(trimmed);
  const file = numbers ? trimmed.slice(0, numbers.index) : trimmed;
  if (file === '' || file.startsWith('<') || file.startsWith('??')) return { file: '', line: 0 };
  const line = Number(numbers?.[1] ?? numbers?.[2] ?? 0);
  return { file: file.slice(0, longestFile).toWellFormed(), line };
}

/** "f(int) const /src/a b.cc:1:2" is a function and where it is. */
export function splitLocation(text: string): { function: string; location: string } {
  for (const at of spacesOutside(text)) {
    const rest = text.slice(at + 1, at + 1 + 2048);
    if (isLocation(rest)) return { function: text.slice(0, at), location: text.slice(at + 1) };
  }
  return { function: text, location: '' };
}

function isLocation(rest: string): boolean {
  if (/^(?:\/|<null>|[A-Za-z]:[\\/])/.test(rest)) return true;
  const word = /^[^ ]{1,1024}/.exec(rest)?.[0] ?? '';
  if (/[(<]/.test(word)) return false;
  return (
    /[/\\]|:\d{1,9}$/.test(word) ||
    /^[\w.+-]{1,256}\.(?:cc?|cpp|cxx|h|hh|hpp|inc|rs|go|s|S)$/.test(word)
  );
}
