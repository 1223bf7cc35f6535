/**
 * The name under which a bot announces, beside an engine's own, that it can do work on that
 * engine's crashes. Bots that do not know such work never announce it, so none of them can be
 * given a job of that kind, and fuzz for lack of understanding.
 */
export const crashWorkOf = (engine: string): string => `${engine}-crashes`;
