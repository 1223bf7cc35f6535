/** The engines that every statement is written for. */
export type Engine = 'sqlite' | 'postgres';

/** One piece of SQL as each engine needs it. */
export type ByEngine<Text> = { readonly [engine in Engine]: Text };

const [begin, between, end] = ['«', '¦', '»'] as const;
const piece = new RegExp(`${begin}([^${between}]*)${between}([^${end}]*)${end}`, 'g');

/** A piece of a statement's text that differs by engine. Pieces do not nest. */
export const either = ({ sqlite, postgres }: ByEngine<string>): string =>
  `${begin}${sqlite}${between}${postgres}${end}`;

/** The text of a statement for each engine, its pieces chosen. */
export const forEachEngine = (text: string): ByEngine<string> => ({
  sqlite: text.replace(piece, '$1'),
  postgres: text.replace(piece, '$2'),
});
