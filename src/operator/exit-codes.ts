/** Exit codes of sysexits.h: wrong usage, unusable content, no such input. */
export const usage = 64;
export const dataError = 65;
export const noInput = 66;
