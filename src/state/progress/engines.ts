import type { EngineProgress } from '../../gen/pandafuzz/v1/statistics_service.js';
import type { CoveragePoint } from '../../store/ops/progress/read-progress.js';

const hourMs = 3_600_000;
export const hoursShown = 24;

/** Coverage of each engine in the hours until `now`, the one with the most first. */
export function enginesOf(points: readonly CoveragePoint[], now: number): EngineProgress[] {
  const byEngine = new Map<string, CoveragePoint[]>();
  for (const point of points) {
    // Groups that were found by a job that had ended have no engine.
    if (point.engine === '') continue;
    const known = byEngine.get(point.engine);
    if (known) known.push(point);
    else byEngine.set(point.engine, [point]);
  }
  return [...byEngine]
    .map(([engine, those]) => progressOf(engine, those, now))
    .sort((a, b) => b.coverage - a.coverage);
}

function progressOf(engine: string, points: readonly CoveragePoint[], now: number): EngineProgress {
  const hours: (number | undefined)[] = Array.from({ length: hoursShown }, () => undefined);
  const from = now - hoursShown * hourMs;
  for (const { time, coverage } of points) {
    // Zero is that of a run that was still loading.
    if (coverage === 0) continue;
    const at = Math.min(hoursShown - 1, Math.floor((time - from) / hourMs));
    if (at >= 0) hours[at] = Math.max(hours[at] ?? 0, coverage);
  }
  const measured = hours.filter((one) => one !== undefined);
  const coverage = Math.max(0, ...measured);
  const first = points.find((point) => point.coverage > 0)?.coverage ?? 0;
  return {
    engine,
    coverage,
    gained: Math.max(0, coverage - first),
    hours: hours.map((one) => ({ coverage: one })),
  };
}
