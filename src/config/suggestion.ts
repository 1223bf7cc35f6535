import leven from 'leven';

/**
 * What to write instead of an unknown word, to follow "no such key".
 *
 * @param listedIn the file that lists every known word, where they are too many
 */
export function suggestion(word: string, known: readonly string[], listedIn: string): string {
  if (known.length === 0) return '';
  const near = known
    .map((candidate) => ({ candidate, distance: leven(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.max(2, word.length / 4)) {
    return `; did you mean ${near.candidate}?`;
  }
  return known.length <= 12 ? `; valid are ${known.join(', ')}` : `; ${listedIn} lists them all`;
}
