import { bytes } from '../operator/format.js';
import { complain } from '../operator/output.js';
import type { Tally } from './take-blobs.js';

/** Lines for people; --json has more. */
const mostLines = 100;

/** Names the blobs that are lost, on standard error. */
export function complainOfLost({ lost, lostCount }: Tally, headline: string): void {
  const lines = lost
    .slice(0, mostLines)
    .map(({ place, why }) => `${place.sha256} ${why} (${bytes(place.size_bytes)})`);
  if (lostCount > lines.length)
    lines.push(`and ${lostCount - lines.length} more (--json names them)`);
  complain([`${headline}:`, ...lines].join('\n'));
}

/** The same for scripts. */
export const lostAsJson = ({ lost }: Tally) => ({
  lost: lost.map(({ place, why }) => ({
    sha256: place.sha256,
    sizeBytes: place.size_bytes,
    ...(place.pack_id !== null && { packId: place.pack_id }),
    why,
  })),
});
