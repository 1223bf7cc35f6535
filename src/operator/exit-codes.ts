/** Exit codes of sysexits.h: wrong usage, unusable content, no such input. */
export const usage = 64;
export const dataError = 65;
export const noInput = 66;
/** The audit log is not what it was. */
export const broken = 12;
/** The audit log fits together, but no longer has the head that it was to be compared with. */
export const notCompared = 13;
