import type { FrameList } from '../../crash/report.js';

/** By project, the frames that it passes over besides the known ones. */
export type FrameLists = Readonly<Record<string, FrameList>>;
