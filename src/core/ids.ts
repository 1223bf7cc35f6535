import { v7 } from 'uuid';

/** UUIDv7: unique, and sorts by the time it was made. */
export const newId: () => string = () => v7();

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const sha256 = /^[0-9a-f]{64}$/;

export const isId = (text: string): boolean => uuid.test(text);
export const isSha256 = (text: string): boolean => sha256.test(text);
