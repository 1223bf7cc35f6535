/**
 * Ends a wait for something that never happens, milliseconds. Nothing is measured
 * by it: so long that no machine is too busy. A whole test may take twice that.
 */
export const patienceMs = 180_000;
