/**
 * The name under which a bot announces, beside an engine's own, that it can merge the corpora
 * of that engine's targets. Bots that do not know such jobs never announce it.
 */
export const mergeWorkOf = (engine: string): string => `${engine}-merge`;
