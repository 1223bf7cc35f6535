import type { Operation } from '../operation.js';

/** Runs an operation of the store, under a deadline of its own. */
export type RunOperation = <Input, Output>(
  operation: Operation<Input, Output>,
  input: Input,
) => Promise<Output>;
