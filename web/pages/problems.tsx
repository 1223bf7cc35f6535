import { useState } from 'preact/hooks';
import { Age } from '../format/ages.js';
import { num } from '../format/figures.js';
import { Chip } from '../format/states.js';
import { Copy } from '../frame/actions.js';
import type { Problem } from '../gen/pandafuzz/v1/statistics_service.js';
import { Link, pathOf } from '../route/route.js';
import { Name, Text } from '../text/text.js';

const shown = 8;

/** By cause, never one row a bot; each with its way to be mended. */
export function Problems({ of, isOld }: { of: readonly Problem[]; isOld: boolean }) {
  const [areAll, setAll] = useState(false);
  if (of.length === 0) {
    return (
      <p>
        {isOld ? (
          <Chip tone="still" word="nothing was wrong then" />
        ) : (
          <Chip tone="good" word="nothing is wrong" />
        )}
      </p>
    );
  }
  const rest = of.length - shown;
  return (
    <>
      <ul class="problems">
        {(areAll ? of : of.slice(0, shown)).map((problem) => (
          <One key={`${problem.kind} ${problem.object} ${problem.sentence}`} of={problem} />
        ))}
      </ul>
      {rest > 0 && (
        <button type="button" aria-expanded={areAll} onClick={() => setAll(!areAll)}>
          {areAll ? 'fewer' : `+ ${rest} more`}
        </button>
      )}
    </>
  );
}

/** A command and nothing else; other remedies are sentences. */
const isCommand = (remedy: string) => /^pandafuzz [\w ./:=-]+$/.test(remedy);

const words: Readonly<Record<string, string>> = {
  PROBLEM_KIND_MASTER: 'master',
  PROBLEM_KIND_CANNOT_FUZZ: 'cannot fuzz',
  PROBLEM_KIND_BOT_UNWELL: 'unwell',
  PROBLEM_KIND_HELD_BACK: 'held back',
  PROBLEM_KIND_NO_BOT_FITS: 'no bot fits',
  PROBLEM_KIND_FLAT: 'flat',
  PROBLEM_KIND_DEAD_JOBS: 'dead jobs',
};

/** Which page has an id of this kind of problem. */
const pages: Readonly<Record<string, string>> = {
  ...{ PROBLEM_KIND_BOT_UNWELL: 'bots', PROBLEM_KIND_HELD_BACK: 'bots' },
  ...{ PROBLEM_KIND_NO_BOT_FITS: 'jobs', PROBLEM_KIND_DEAD_JOBS: 'jobs' },
  PROBLEM_KIND_CANNOT_FUZZ: 'jobs',
};

function One({
  of: { kind, isBad, object, sentence, since, remedy, count, ids },
}: {
  of: Problem;
}) {
  const page = pages[kind ?? ''];
  const id = ids?.[0];
  return (
    <li>
      <Chip tone={isBad ? 'bad' : 'warn'} word={words[kind ?? ''] ?? 'problem'} />
      <span class="what">
        <b>
          {page && id ? (
            <Link to={pathOf(page, id)}>
              <Name of={object} />
            </Link>
          ) : (
            <Name of={object} />
          )}
        </b>{' '}
        <Text of={sentence} />
        {num(count) > (ids?.length ?? 0) && num(count) > 1 ? ` (${num(count)} in all)` : ''}
      </span>
      <span class="since muted">
        <Age of={since} otherwise="" />
      </span>
      {remedy && (
        <span class="remedy muted">
          what to do: <Text of={remedy} /> {isCommand(remedy) && <Copy text={remedy} />}
        </span>
      )}
    </li>
  );
}
