/** Longest file a target may write, bytes. */
export const maxFileBytes = 256 * 2 ** 20;
