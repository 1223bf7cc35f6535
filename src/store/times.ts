/** A time, or null for never; milliseconds. */
type Time = number | null;

export const earliest = (a: Time, b: Time): Time =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

export const later = (time: number, byMs: Time): Time => (byMs === null ? null : time + byMs);
