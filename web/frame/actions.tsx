import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { type Failure, failureOf } from '../api/failure.js';
import { harmless } from '../text/segments.js';
import { Text } from '../text/text.js';

/** What the last action led to, for everybody: said once by screen readers, too. */
interface Notice extends Done {
  readonly isBad: boolean;
}

/** What an action led to. */
export interface Done {
  readonly text: string;
  /** Takes it back, and returns what the master answered, in words. */
  readonly undo?: () => Promise<string>;
}

export const notice = signal<Notice | undefined>(undefined);

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice.value && (
        <p class={notice.value.isBad ? 'failure' : 'done'}>
          <Text of={notice.value.text} />{' '}
          {notice.value.undo && <Action act={notice.value.undo}>Undo</Action>}{' '}
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
  act: () => Promise<string | Done>;
  /** What it costs: asked before it is done. Absent: it is easily undone. */
  ask?: string;
  /** Called when it is done. */
  then?: () => void;
  /** Why it cannot be done now. */
  blocked?: string | undefined;
}

/** A button that changes something: never shown as done before the master says so. */
export function Action({ children, act, ask, then, blocked }: ActionProps) {
  const [isUnderWay, setUnderWay] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const run = async () => {
    dialog.current?.close();
    setUnderWay(true);
    notice.value = undefined;
    try {
      const done = await act();
      notice.value = { ...(typeof done === 'string' ? { text: done } : done), isBad: false };
      then?.();
    } catch (error) {
      notice.value = { text: refusalOf(failureOf(error)), isBad: true };
    } finally {
      setUnderWay(false);
    }
  };
  const begin = () => {
    if (isUnderWay) return;
    if (blocked !== undefined) notice.value = { text: blocked, isBad: true };
    else if (ask === undefined) run();
    else dialog.current?.showModal();
  };
  return (
    <>
      <button
        type="button"
        aria-disabled={isUnderWay || blocked !== undefined}
        title={blocked}
        onClick={begin}
      >
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
