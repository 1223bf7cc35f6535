import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { type Failure, failureOf } from '../api/failure.js';
import { harmless } from '../text/segments.js';
import { Text } from '../text/text.js';

/** What the last action led to, for everybody: said once by screen readers, too. */
interface Notice {
  readonly text: string;
  readonly isBad: boolean;
}

export const notice = signal<Notice | undefined>(undefined);

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice.value && (
        <p class={notice.value.isBad ? 'failure' : 'done'}>
          <Text of={notice.value.text} />{' '}
          <button type="button" onClick={() => (notice.value = undefined)}>
            Close
          </button>
        </p>
      )}
    </div>
  );
}

interface ActionProps {
  children: ComponentChildren;
  /** Returns what the master answered, in words. */
  act: () => Promise<string>;
  /** What it costs: asked before it is done. Absent: it is easily undone. */
  ask?: string;
  /** Called when it is done. */
  then?: () => void;
}

/** A button that changes something: never shown as done before the master says so. */
export function Action({ children, act, ask, then }: ActionProps) {
  const [isUnderWay, setUnderWay] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const run = async () => {
    dialog.current?.close();
    setUnderWay(true);
    notice.value = undefined;
    try {
      notice.value = { text: await act(), isBad: false };
      then?.();
    } catch (error) {
      notice.value = { text: refusalOf(failureOf(error)), isBad: true };
    } finally {
      setUnderWay(false);
    }
  };
  const begin = () => (ask === undefined ? run() : dialog.current?.showModal());
  return (
    <>
      <button type="button" aria-disabled={isUnderWay} onClick={() => isUnderWay || begin()}>
        {isUnderWay ? <>{children} …</> : children}
      </button>
      {ask !== undefined && (
        <dialog ref={dialog} aria-label={ask}>
          <p>{ask}</p>
          <button type="button" class="primary" onClick={run}>
            {children}
          </button>{' '}
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
        </dialog>
      )}
    </>
  );
}

const refusalOf = ({ code, message }: Failure): string =>
  code === 'unavailable' || code === 'deadline_exceeded'
    ? `It is not known whether this was done: ${message}. Look at the state, then try again.`
    : message;

/** Copies text without characters that a terminal would obey. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await copied(harmless(text).replaceAll('\n', ' '));
    setDone(true);
  };
  return (
    <button type="button" onClick={copy} onBlur={() => setDone(false)}>
      {isDone ? 'Copied' : label}
    </button>
  );
}

/** The clipboard is for secure addresses alone; elsewhere the older way. */
async function copied(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
