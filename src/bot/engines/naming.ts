import type { EngineCommand } from './engine.js';

/** A function that a stack frame is in, and where, as a symbolizer prints it. */
export interface NamedFunction {
  readonly name: string;
  /** "/src/a.c:4:69"; '' where it is not known. */
  readonly place: string;
}

/** How the functions at offsets of a module are found. */
export interface Naming {
  command(module: string, offsets: readonly string[]): EngineCommand;
  /** For each offset its functions, the innermost of inlined ones first; none for an unknown one. */
  read(output: string): NamedFunction[][];
}

/** By llvm-symbolizer, the program that sanitizers run for each stack. */
export const namingBy = (symbolizer: string): Naming => ({
  command: (module, offsets) => ({
    file: symbolizer,
    args: [`--obj=${module}`, '--demangle', '--inlines', ...offsets],
    environment: {},
  }),
  // Two lines a function, and an empty one after each offset.
  read: (output) =>
    output
      .split('\n')
      .filter((line) => !complaint.test(line))
      .join('\n')
      .split(/\n[ \t]*\n/)
      .filter((block) => block.trim() !== '')
      .map((block) => functionsIn(block.trim().split('\n'))),
});

/** "LLVMSymbolizer: error reading file: No such file or directory", amid the answer. */
const complaint = /^(?:LLVMSymbolizer: )?(?:error|warning)[ :]/i;
/** "/src/a.c:4:69", "??:0:0" */
const place = /:\d+(?::\d+)?$/;

/** None for lines that are no answer. */
function functionsIn(lines: readonly string[]): NamedFunction[] {
  const functions: NamedFunction[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at]?.trim() ?? '';
    const where = lines[at + 1]?.trim() ?? '';
    if (name === '' || !place.test(where)) return [];
    if (name !== '??') functions.push({ name, place: where.startsWith('??') ? '' : where });
  }
  return functions;
}
