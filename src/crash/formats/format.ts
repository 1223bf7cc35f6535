import type { ParsedFrame } from '../stacks/frame.js';

/**
 * How much a headline explains:
 *
 * - `error`: what a sanitizer or an engine found; nothing else explains it better.
 * - `cause`: a check, panic or exception that ends the process by a signal or an exit.
 * - `signal`: how the process ended, which a cause before it explains.
 * - `hint`: a weaker cause, or one after which a program may go on: a log's "FATAL:",
 *   UndefinedBehaviorSanitizer's runtime error, a test's failed expectation.
 * - `leftover`: what a process reports on its way out, such as leaks.
 */
export type Rank = 'error' | 'cause' | 'signal' | 'hint' | 'leftover';

/** The line that says what happened. */
export interface Headline {
  readonly kind: string;
  readonly rank: Rank;
  /** Line of the report. */
  readonly at: number;
  /** As printed; normalised later. */
  readonly message?: string;
  readonly language?: string;
  /** Where the headline itself places the fault. */
  readonly file?: string;
  readonly line?: number;
  readonly function?: string;
  /** Ended by its own decision (abort, exit), so that helpers stand on its stack. */
  readonly isDeliberate?: boolean;
}

/** A way in which tools report crashes. */
export interface Format {
  readonly name: string;
  /** Found in every line that can be a headline; kept cheap. */
  readonly hint: RegExp;
  readonly headline: (lines: readonly string[], at: number) => Headline | undefined;
  /** Reads the stack where it is written in another way than native ones. */
  readonly stack?: (lines: readonly string[], headline: Headline) => readonly ParsedFrame[];
}
