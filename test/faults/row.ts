/** One line of `make faults`. */
export interface Row {
  readonly number: number;
  readonly fault: string;
  readonly promise: string;
  /** Bugs that this row, or what came before it, has found. */
  readonly found: readonly string[];
  run(options: RunOptions): Promise<Outcome>;
}

export interface RunOptions {
  readonly seed: number;
  /** The form for `make test`: a few seconds. */
  readonly isShort: boolean;
}

export interface Outcome {
  /** Requests of bots and operators. */
  readonly operations: number;
  /** Faults that were seen to happen. None: the row has failed. */
  readonly fired: number;
  /** In words; none is right. */
  readonly violations: readonly string[];
  /**
   * Bounds in time that were missed. They mean something on a quiet machine: `make faults` counts them
   * as violations, `make test` does not.
   */
  readonly limits?: readonly string[];
  /** Name and value, for the table. */
  readonly figures?: Readonly<Record<string, string>>;
  /** Why it cannot be had on this machine. */
  readonly skipped?: string;
}

/** Whether the promise was kept, and put to the test. */
export const isKept = ({ fired, violations, limits = [], skipped }: Outcome): boolean =>
  skipped !== undefined || (fired > 0 && violations.length === 0 && limits.length === 0);
