/** An operation to run, by its name, as it travels to a thread. */
export interface Call {
  readonly operation: string;
  readonly input: unknown;
}

/** How one of many operations ended. */
export type Settled<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: unknown };
