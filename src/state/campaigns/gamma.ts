/** The gamma distribution with scale 1: what is known of a rate after so many finds. */

/** Lanczos' series with g = 7. */
const lanczos = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12,
  9.984_369_578_019_571_6e-6, 1.505_632_735_149_311_6e-7,
];

/** Logarithm of the gamma function of `shape` > 0. */
export function logGamma(shape: number): number {
  // The series holds from 0.5 on.
  if (shape < 0.5) return logGamma(shape + 1) - Math.log(shape);
  const x = shape - 1;
  const sum = lanczos.reduce(
    (total, one, index) => total + (index === 0 ? one : one / (x + index)),
    0,
  );
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

const mostTerms = 10_000;

/** Part of the distribution of this shape that lies below `x`. */
export function partBelow(shape: number, x: number): number {
  if (x <= 0) return 0;
  const scale = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  return x < shape + 1 ? scale * series(shape, x) : 1 - scale * fraction(shape, x);
}

function series(shape: number, x: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let n = 1; n < mostTerms && term > sum * 1e-15; n++) {
    term *= x / (shape + n);
    sum += term;
  }
  return sum;
}

/** The continued fraction, by Lentz' method. */
function fraction(shape: number, x: number): number {
  let b = x + 1 - shape;
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < mostTerms; n++) {
    const a = -n * (n - shape);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return value;
}

/** The point below which `part` of the distribution lies; 0 where it is smaller than any number. */
export function quantile(shape: number, part: number): number {
  // For the part of small points: x^shape / gamma(shape + 1).
  let low = Math.exp((Math.log(part) + logGamma(shape + 1)) / shape);
  let high = Math.max(low, shape + 1) * 2;
  while (partBelow(shape, high) < part) high *= 2;
  if (low < 1e-12) return low;
  low = Math.min(low, high);
  while (partBelow(shape, low) > part) low /= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (partBelow(shape, middle) < part) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
