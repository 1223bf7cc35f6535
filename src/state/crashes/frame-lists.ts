import type { FrameList } from '../../crash/report.js';

/** Frames that projects pass over besides the known ones: `crashes.passed_over`. */
export class FrameLists {
  readonly #byProject: ReadonlyMap<string, FrameList>;

  constructor(byProject: Readonly<Record<string, FrameList>>) {
    this.#byProject = new Map(Object.entries(byProject));
  }

  of(project: string): FrameList | undefined {
    return this.#byProject.get(project);
  }
}
