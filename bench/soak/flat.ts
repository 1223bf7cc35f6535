/** One kind of thing that must not grow, and by how much a figure of it may seem to. */
export interface Bound {
  readonly name: string;
  readonly unit: string;
  /** Growth over the whole time that is noise: that share of the mean, or this much. */
  readonly share: number;
  readonly least: number;
}

export interface Verdict {
  readonly bound: Bound;
  readonly first: number;
  readonly last: number;
  readonly most: number;
  /** Over the time that is judged, by the line of least squares. */
  readonly growth: number;
  readonly allowed: number;
  readonly isFlat: boolean;
}

/** Of all samples, the first part in which caches fill and code is compiled. */
const warmUpShare = 1 / 3;

/** Judges samples at equal distances, the oldest first. At least six of them. */
export function judge(bound: Bound, samples: readonly number[]): Verdict {
  if (samples.length < 6) throw new Error(`${samples.length} samples of ${bound.name} are too few`);
  const judged = samples.slice(Math.floor(samples.length * warmUpShare));
  const growth = slopeOf(judged) * (judged.length - 1);
  const mean = sum(judged) / judged.length;
  const allowed = Math.max(bound.share * mean, bound.least);
  return {
    bound,
    first: judged[0] ?? 0,
    last: judged.at(-1) ?? 0,
    most: Math.max(...judged),
    growth,
    allowed,
    isFlat: growth <= allowed,
  };
}

/** Per sample. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = sum(values) / values.length;
  const over = values.map((value, at) => (at - middle) * (value - mean));
  const under = values.map((_, at) => (at - middle) ** 2);
  return sum(over) / sum(under);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
