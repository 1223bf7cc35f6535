import { plain } from '../../format.js';

/** Text that means nothing in HTML or SVG, in content and in quoted attributes. */
export const escaped = (given: string): string =>
  plain(given).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
