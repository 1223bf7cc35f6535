let due: (() => void)[] = [];

/**
 * Calls `work` at the end of this turn of the event loop, so that items that arrive
 * together are handled together. One immediate serves all callers: a fleet of bots would
 * otherwise make thousands of them.
 */
export function atEndOfTurn(work: () => void): void {
  if (due.push(work) === 1) setImmediate(endTurn);
}

/** Whether work waits for the end of this turn. */
export const isTurnOpen = (): boolean => due.length > 0;

/**
 * Work queued while the queue is being drained runs in the same pass, so a call that
 * starts now also sends its store request now.
 */
function endTurn(): void {
  try {
    for (const work of due) work();
  } finally {
    due = [];
  }
}

/** Items that arrive in one turn of the event loop, handled together at its end. */
export class TurnBatch<Item> {
  #items: Item[] = [];

  /** `work` must not fail. */
  constructor(private readonly work: (items: readonly Item[]) => void) {}

  add(item: Item): void {
    if (this.#items.push(item) === 1) atEndOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    const items = this.#items;
    this.#items = [];
    this.work(items);
  };
}
