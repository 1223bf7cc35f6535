import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/call.js';
import { type Failure, failureOf } from '../api/failure.js';
import { num, si } from '../format/figures.js';
import { Loading } from '../frame/panel.js';
import type {
  CoverageLine,
  GetCoverageFileResponse,
} from '../gen/pandafuzz/v1/coverage_service.js';
import { Link, withQuery } from '../route/route.js';
import { Name, Text } from '../text/text.js';

interface Props {
  readonly of: { readonly project: string; readonly targetName: string };
  readonly reportId: string;
  readonly path: string;
}

interface Read {
  readonly file: GetCoverageFileResponse['file'];
  readonly lines: readonly CoverageLine[];
  readonly nextLine: number;
}

/** A file of a report, line by line; more of it comes when it is wanted. */
export function CoverageLines({ of, reportId, path }: Props) {
  const [read, setRead] = useState<Read>();
  const [failure, setFailure] = useState<Failure>();
  const [from, setFrom] = useState(1);
  const { project, targetName } = of;
  useEffect(() => {
    setRead(undefined);
    setFrom(1);
  }, [project, targetName, reportId, path]);
  useEffect(() => {
    const stop = new AbortController();
    const request = { project, targetName, reportId, path, fromLine: from };
    call('CoverageService', 'GetCoverageFile', request, stop.signal).then(
      ({ file, lines = [], nextLine = 0 }) => {
        setFailure(undefined);
        setRead((before) => ({
          file,
          lines: from > 1 && before ? [...before.lines, ...lines] : lines,
          nextLine: num(nextLine),
        }));
      },
      (error) => {
        if (!stop.signal.aborted) setFailure(failureOf(error));
      },
    );
    return () => stop.abort();
  }, [project, targetName, reportId, path, from]);
  return (
    <section class="panel">
      <h2>
        <Name of={path} most={80} />
      </h2>
      <p>
        <Link to={withQuery({ file: '' })}>All files</Link>
        {read?.file && !read.file.hasSource && (
          <span class="muted"> Its source is not in the bundle: figures alone.</span>
        )}
      </p>
      {failure && (
        <p class="failure" role="alert">
          <Text of={failure.message} />
        </p>
      )}
      {!read && !failure && <Loading rows={8} />}
      {read && <Drawn of={read.lines} />}
      {read && read.nextLine > 0 && (
        <button type="button" onClick={() => setFrom(read.nextLine)}>
          More lines, from {si(read.nextLine)}
        </button>
      )}
    </section>
  );
}

const marks: Readonly<Record<string, string>> = { LINE_CHANGE_NEW: '+', LINE_CHANGE_LOST: '−' };

/** Beside the colours stand the times that a line ran, and a sign for what is new or lost. */
function Drawn({ of: lines }: { of: readonly CoverageLine[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="lines source" tabIndex={0} aria-label="Lines">
      {lines.map(({ number, count, text, change }) => (
        <div key={number} class={classOf(count)}>
          {String(number).padStart(6)} {(count === undefined ? '' : si(num(count))).padStart(8)}{' '}
          {marks[change ?? ''] ?? ' '} <Text of={text === '' ? ' ' : text} />
        </div>
      ))}
    </section>
  );
}

const classOf = (count: string | number | undefined): string | undefined =>
  count === undefined ? undefined : num(count) > 0 ? 'ran' : 'not-run';
