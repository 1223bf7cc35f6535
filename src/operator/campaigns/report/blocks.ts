import type { Facts } from '../../crashes/describe.js';
import type { Curve } from './curve.js';

/** A report as it is, whatever it is written in. Texts are as they came, and clean nowhere. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'facts'; readonly facts: Facts }
  | { readonly kind: 'table'; readonly columns: readonly BlockColumn[]; readonly rows: Rows }
  | { readonly kind: 'charts'; readonly charts: readonly Chart[] }
  | { readonly kind: 'code'; readonly language: 'sh' | 'text'; readonly code: string };

export interface BlockColumn {
  readonly name: string;
  /** Figures are aligned to the right. */
  readonly right?: boolean;
}

export type Rows = readonly (readonly string[])[];

export interface Chart {
  readonly title: string;
  readonly curve: Curve;
  /** Its axis begins at 0; else at the least value. */
  readonly isFromZero: boolean;
  /** A value stands until the next one: what was counted and does not fade. */
  readonly isStanding: boolean;
}
