/** A curve in 96 by 20: its own scale, gaps where nothing was measured, the last point marked. */

const [width, height, edge] = [96, 20, 3];

export function Spark({ values }: { values: readonly (number | undefined)[] }) {
  const known = values.filter((one) => one !== undefined);
  if (known.length === 0) return null;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const at = (value: number, index: number): readonly [number, number] => [
    edge + (index * (width - 2 * edge)) / Math.max(1, values.length - 1),
    height - edge - ((value - least) / Math.max(1, most - least)) * (height - 2 * edge),
  ];
  let path = '';
  let isOpen = false;
  let last: readonly [number, number] | undefined;
  values.forEach((value, index) => {
    if (value !== undefined) {
      last = at(value, index);
      const point = last.map((one) => one.toFixed(1)).join(' ');
      // A single value between gaps is a short line.
      path += isOpen ? `L${point}` : `M${point}h.1`;
    }
    isOpen = value !== undefined;
  });
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      aria-hidden="true"
    >
      <path d={path} />
      {last && <circle cx={last[0]} cy={last[1]} r="2" />}
    </svg>
  );
}
