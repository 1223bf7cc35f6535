import { basename } from 'node:path';

const longest = 128;

/**
 * The name that a file has for the master: the end of its own, without control characters,
 * which the contract does not allow.
 */
export const nameOf = (path: string): string =>
  basename(path)
    .replace(/\p{Cc}/gu, '_')
    .slice(-longest)
    .toWellFormed();
