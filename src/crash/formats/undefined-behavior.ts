import type { Format, Headline } from './format.js';

const runtimeError = /^(.{0,1024}?):(\d{1,9})(?::\d{1,9})?: runtime error: (.*)$/;
const unknownPlace =
  /^(?:.{0,1024}?)(?:<unknown>|0x[0-9a-f]{1,16}|\(.{1,512}\)): runtime error: (.*)$/;

const kinds: readonly [pattern: RegExp, kind: string][] = [
  [/^signed integer overflow/, 'signed-integer-overflow'],
  [/^unsigned integer overflow/, 'unsigned-integer-overflow'],
  [/^negation of /, 'signed-integer-overflow'],
  [/^division of .* cannot be represented/, 'signed-integer-overflow'],
  [/^division by zero/, 'division-by-zero'],
  [/^index .* out of bounds/, 'index-out-of-bounds'],
  [/^(?:left )?shift /, 'invalid-shift'],
  [/ misaligned address /, 'misaligned-address'],
  [/ assumption of .* alignment/, 'misaligned-address'],
  [/^null pointer (?:passed|returned)/, 'null-pointer'],
  [/ null pointer/, 'null-pointer'],
  [/ with insufficient space/, 'object-size'],
  [/ does not point to an object of type/, 'dynamic-type-mismatch'],
  [/through pointer to incorrect function type/, 'function-type-mismatch'],
  [/^control flow integrity check .* indirect function call/, 'cfi-bad-indirect-call'],
  [/^control flow integrity check /, 'cfi-bad-type'],
  [/not a valid value for type/, 'invalid-value'],
  [/outside the range of representable values/, 'float-cast-overflow'],
  [/^implicit conversion /, 'implicit-conversion'],
  [/^execution reached an unreachable program point/, 'unreachable'],
  [/^execution reached the end of a value-returning function/, 'missing-return'],
  [/^passing zero to /, 'invalid-builtin-use'],
  [
    /^(?:pointer index expression|addition of unsigned offset|subtraction of unsigned offset|applying )/,
    'pointer-overflow',
  ],
  [/^variable length array bound/, 'vla-bound'],
];

/** UndefinedBehaviorSanitizer and control flow integrity: "a.cc:3:5: runtime error: …". */
export const undefinedBehavior: Format = {
  name: 'undefined-behavior',
  hint: /: runtime error: /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    // Go's panics say "panic: runtime error: …".
    if (line.includes('panic: runtime error: ')) return undefined;
    const found = runtimeError.exec(line);
    const text = found?.[3] ?? unknownPlace.exec(line)?.[1];
    if (text === undefined) return undefined;
    const kind = kinds.find(([pattern]) => pattern.test(text))?.[1] ?? 'undefined-behavior';
    const place = found ? { file: lastWord(found[1] as string), line: Number(found[2]) } : {};
    return { kind, rank: 'hint', at, message: text, language: 'c', ...place };
  },
};

/** A partial line may stand before the path. */
const lastWord = (text: string) =>
  text.slice(Math.max(text.lastIndexOf(' '), text.lastIndexOf('\t')) + 1);
