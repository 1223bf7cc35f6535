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
  return { key: isReadable ? distinctionKey(crash) : '', hasFrames };
}
