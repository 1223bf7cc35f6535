/** A text of PostgreSQL cannot hold U+0000: foreign text may, and is kept with a stand-in. */
const nul = '\0';
const standIn = '\ufffd';

/** A value of a parameter as PostgreSQL can keep it. */
export const storable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes(nul)
    ? value.replaceAll(nul, standIn)
    : (value ?? null);
