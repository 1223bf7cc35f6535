import { readCrashReport } from '../../crash/report.js';
import { distinctionKey } from '../../crash/signature.js';
import type { CrashKey } from './findings.js';

/**
 * What tells a crash from others; '' where nothing does. A kind alone does not, except for
 * those that come with no stack of the crash: a hang, and memory running out.
 */
export function keyOf(report: string): CrashKey {
  const crash = readCrashReport(report);
  const hasFrames = crash.frames.length > 0;
  const isBare = !hasFrames && crash.message === '';
  const isReadable = !isBare || /^(?:timeout|out-of-memory|rss-limit-exceeded)$/.test(crash.kind);
  const place = crash.topFrame === 'unknown' ? crash.kind : crash.topFrame;
  const isLeak = crash.kind === 'memory-leak';
  const { isKnown } = crash;
  return { key: isReadable ? distinctionKey(crash) : '', hasFrames, place, isLeak, isKnown };
}

/**
 * Finer than the key, for reports whose stacks have no names: equal only for stacks that are
 * the same to the last frame. '' where there is none.
 */
export function stackKeyOf(report: string): string {
  const { kind, message, stack, otherFrames = [] } = readCrashReport(report);
  const addresses = [...stack, ...otherFrames].map(
    ({ module, offset, function: name }) => `${module}${offset}${name}`,
  );
  return stack.length > 0 ? [kind, message, ...addresses].join('\n') : '';
}
