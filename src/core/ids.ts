import { v7 } from 'uuid';

/** UUIDv7: unique, and sorts by the time of its creation. */
export const newId: () => string = () => v7();

/** Sorts before every UUIDv7 of this time and later; `ms` since 1970. */
export function firstIdOf(ms: number): string {
  const digits = Math.min(Math.max(0, Math.trunc(ms)), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/**
 * Ids of requests: UUIDs, unique among all processes, counted within this one. Counting is
 * cheaper than 16 random bytes for each call.
 */
export function countedIds(): () => string {
  const prefix = newId().slice(0, -12);
  let count = 0;
  return () => `${prefix}${(++count).toString(16).padStart(12, '0')}`;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const sha256 = /^[0-9a-f]{64}$/;

export const isId = (text: string): boolean => uuid.test(text);
export const isSha256 = (text: string): boolean => sha256.test(text);
