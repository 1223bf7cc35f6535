import { Text } from '../text/text.js';

/** The master's own sentences, the most important first. */
export function Reasons({
  of,
  otherwise,
}: {
  of: readonly string[] | undefined;
  otherwise: string;
}) {
  if (!of || of.length === 0) return <p>{otherwise}</p>;
  return (
    <ul class="reasons">
      {of.map((reason) => (
        <li key={reason}>
          <Text of={reason} />
        </li>
      ))}
    </ul>
  );
}
