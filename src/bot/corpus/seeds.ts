import { seedBounds } from '../../target/archive/bounds.js';

/** More inputs, or bytes of them, are not brought into a run. */
export const seedLimits = { files: seedBounds.entries, totalBytes: seedBounds.bytes } as const;
