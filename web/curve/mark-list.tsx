import { many, utc } from '../format/figures.js';
import { Link } from '../route/route.js';
import { Text } from '../text/text.js';
import type { Mark } from './marks.js';

const words: Readonly<Record<Mark['kind'], string>> = {
  ...{ build: '│ new build', group: '● new group', change: '╵ change' },
};

/** What is marked on curves, the newest first, for all who cannot see or point at it. */
export function MarkList({ of, isPaused }: { of: readonly Mark[]; isPaused: boolean }) {
  if (of.length === 0) return null;
  return (
    <details class="marks">
      <summary>
        {many(of.length, 'mark')} on the curves: │ new build, ● new group, ╵ change
        {isPaused ? ', ░ paused' : ''}
      </summary>
      <ul>
        {[...of]
          .sort((a, b) => b.at - a.at)
          .map((mark) => (
            <li key={`${mark.at} ${mark.kind} ${mark.to ?? mark.text}`}>
              {utc(mark.at * 1000)} {words[mark.kind]}{' '}
              {mark.to ? (
                <Link to={mark.to}>
                  <Text of={mark.text} most={100} />
                </Link>
              ) : (
                <Text of={mark.text} most={200} />
              )}
            </li>
          ))}
      </ul>
    </details>
  );
}
