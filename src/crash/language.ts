import type { ParsedFrame } from './stacks/frame.js';

const byExtension: readonly [pattern: RegExp, language: string][] = [
  [/\.rs$/, 'rust'],
  [/\.go$/, 'go'],
  [/\.swift$/, 'swift'],
  [/\.(?:c|cc|cpp|cxx|c\+\+|h|hh|hpp|hxx|inc|inl|m|mm)$/i, 'c'],
  [/\.pyx?$/, 'python'],
];
const rustName =
  /^(?:core::|alloc::|rust_begin_unwind|rust_panic|std::(?:panicking|rt|sys)::|<.{1,128} as core::)|::\{\{closure\}\}/;
const goName = /^(?:runtime\.[a-z]|main\.\w)/;

/** The language of native frames, by their files and names; 'c' unless they show another. */
export function languageOf(frames: readonly ParsedFrame[]): string {
  const votes = new Map<string, number>();
  for (const frame of frames.slice(0, 24)) {
    const language = languageOfFrame(frame);
    if (language) votes.set(language, (votes.get(language) ?? 0) + 1);
  }
  const [first] = [...votes].sort((a, b) => b[1] - a[1]);
  if (votes.has('rust')) return 'rust';
  return first?.[0] ?? (frames.length > 0 ? 'c' : 'unknown');
}

function languageOfFrame(frame: ParsedFrame): string | undefined {
  if (rustName.test(frame.function)) return 'rust';
  if (goName.test(frame.function)) return 'go';
  return byExtension.find(([pattern]) => pattern.test(frame.file))?.[1];
}
