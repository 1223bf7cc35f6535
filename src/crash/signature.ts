import type { CrashDescription } from './description.js';
import { crashSignature as signOld } from './old.js';

/** Goes up when the same report may get another signature than before. */
export const signatureVersion = 2;

/** Equal for crashes that a person would file as one bug. */
export function crashSignature(
  crash: CrashDescription,
  _options: { readonly target?: string } = {},
): string {
  return signOld({ kind: crash.kind, frames: crash.frames.map((frame) => frame.function) });
}

/** Finer than the signature: an input with a new key is kept. '' for an unreadable report. */
export function distinctionKey(crash: CrashDescription): string {
  if (!crash.isKnown) return '';
  const frames = crash.frames.slice(0, 5).map((frame) => `${frame.function}:${frame.line}`);
  return [crash.kind, crash.message, ...frames].join('\n');
}
