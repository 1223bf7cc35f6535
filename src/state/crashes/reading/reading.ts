import { createHash } from 'node:crypto';
import { clipUtf8 } from '../../../core/clip.js';
import { type CrashFrame, type FrameList, readCrashReport } from '../../../crash/report.js';
import { crashSignature, distinctionKey, signatureVersion } from '../../../crash/signature.js';
import { StackFrame } from '../../../gen/pandafuzz/v1/crash.js';
import type { CrashReading } from '../../../store/crash-rows.js';

/** A report to be read, with what is known of its target. */
export interface ReportToRead {
  readonly report: string;
  readonly targetName: string;
  /** Frames that the project passes over. */
  readonly passedOver?: FrameList | undefined;
}

/** Fit for an index of PostgreSQL beside the target's name. */
const longestMessageBytes = 1000;
const longestPath = 1024;
const longestWhy = 256;

/** What the reader of this version makes of a report. */
export function readReport({ report, targetName, passedOver }: ReportToRead): CrashReading {
  const crash = readCrashReport(report, {
    target: targetName,
    ...(passedOver && { project: passedOver }),
  });
  if (!crash.isKnown) return unknownReading(signatureVersion);
  const stack = crash.stack.length > 0 ? crash.stack : crash.frames;
  return {
    kind: crash.kind,
    message: clipUtf8(crash.message.toWellFormed(), longestMessageBytes),
    topFrame: crash.topFrame,
    access: crash.access ?? '',
    accessSizeBytes: crash.accessSizeBytes ?? 0,
    address: crash.address ?? '',
    security: crash.security.matters ? 1 : 0,
    securityWhy: crash.security.why.slice(0, longestWhy),
    language: crash.language,
    signatureVersion,
    signature: keyOf(signatureVersion, crashSignature(crash, { target: targetName })),
    distinction: keyOf(signatureVersion, distinctionKey(crash)),
    frames: JSON.stringify(crash.frames.map((frame) => frame.function)),
    stack: JSON.stringify(stack.map(storedFrame)),
  };
}

/**
 * Of a report that nothing can be read from. Such crashes of a target are listed as one
 * group, and told apart by their inputs alone.
 */
export const unknownReading = (version: number): CrashReading => ({
  kind: 'unknown',
  message: '',
  topFrame: 'unknown',
  access: '',
  accessSizeBytes: 0,
  address: '',
  security: 0,
  securityWhy: '',
  language: 'unknown',
  signatureVersion: version,
  signature: keyOf(version, 'unknown'),
  distinction: '',
  frames: '[]',
  stack: '[]',
});

/** Of one length, and never the same for two versions. */
export const keyOf = (version: number, text: string): string =>
  text === '' ? '' : createHash('sha256').update(`${version}\n${text}`).digest('hex');

function storedFrame(frame: CrashFrame): unknown {
  const offset = Number.parseInt(frame.offset, 16);
  return StackFrame.toJSON({
    function: frame.function,
    file: frame.file.slice(0, longestPath).toWellFormed(),
    line: frame.line,
    module: frame.module.slice(0, longestPath).toWellFormed(),
    offset: Number.isSafeInteger(offset) ? offset : 0,
    own: frame.isOwn,
  });
}
