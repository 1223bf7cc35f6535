import type { CrashDescription, CrashFrame, FrameList } from './description.js';
import { parseCrashReport as parseOld } from './old.js';

export type { CrashDescription, CrashFrame, FrameList } from './description.js';

export interface ReadOptions {
  /** Name of the target; a report without a language or an own frame may need it. */
  readonly target?: string;
  /** Frames that the project passes over, besides the known ones. */
  readonly project?: FrameList;
}

/** Reads what an engine or a sanitizer wrote. Takes any text; its cost is linear. */
export function readCrashReport(report: string, _options: ReadOptions = {}): CrashDescription {
  const old = parseOld(report);
  const frames = old.frames.map(
    (name): CrashFrame => ({
      function: name,
      file: '',
      line: 0,
      module: '',
      offset: '',
      isOwn: true,
    }),
  );
  return {
    kind: old.kind,
    message: '',
    security: { matters: false, why: '' },
    language: 'unknown',
    format: 'unknown',
    frames,
    stack: frames,
    topFrame: old.topFrame,
    isKnown: old.kind !== 'unknown' || frames.length > 0,
  };
}
