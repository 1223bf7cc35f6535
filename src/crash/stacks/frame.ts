/** One line of a stack, as far as its text goes. */
export interface ParsedFrame {
  /** Number that the tool gave it, less `inlined` for "#1.1"; -1 where lines are not numbered. */
  readonly index: number;
  /** As functionName made it; '' if the line names none. */
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly module: string;
  readonly offset: string;
  /** Address in hexadecimal digits, or ''. Equal for functions inlined into one another. */
  readonly address: string;
}

/** Fuchsia numbers functions inlined into "#1" as "#1.2" and "#1.1", before it. */
export const inlined = 0.5;

/** Reads one line; undefined if it is no frame of this notation. */
export type FrameParser = (line: string) => ParsedFrame | undefined;

/** Stands between a signal handler's frames and those that the signal interrupted. */
export const signalMarker = '<signal handler called>';

export function frame(parts: Partial<ParsedFrame>): ParsedFrame {
  return {
    index: -1,
    function: '',
    file: '',
    line: 0,
    module: '',
    offset: '',
    address: '',
    ...parts,
  };
}
