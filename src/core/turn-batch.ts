let due: (() => void)[] = [];

/**
 * Calls `work` at the end of this turn of the event loop, so that what comes
 * together can be done together. One immediate serves everybody: a fleet that
 * beats would otherwise make thousands of them.
 */
export function atEndOfTurn(work: () => void): void {
  if (due.push(work) === 1) setImmediate(endTurn);
}

/** What comes with it is done with it: of calls that begin now, what they ask goes out now. */
function endTurn(): void {
  try {
    for (const work of due) work();
  } finally {
    due = [];
  }
}

/** What comes in one turn of the event loop, done together at its end. */
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
