import { type Urgency, urgencies } from './operation.js';

/**
 * What waits for a thread, by urgency. The urgent goes first; but each class has
 * a small share of every group, so that none waits for ever behind the others.
 */
const shareOfEach = 16;

export class UrgencyQueue<Waiting extends { readonly abandoned: boolean }> {
  readonly #classes = new Map<Urgency, Waiting[]>(urgencies.map((urgency) => [urgency, []]));
  #size = 0;

  /** `capacity`: how many of one class may wait. */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#size;
  }

  depthOf(urgency: Urgency): number {
    return this.#of(urgency).length;
  }

  /** @returns false when its class is full */
  push(urgency: Urgency, waiting: Waiting): boolean {
    const waitingOnes = this.#of(urgency);
    if (waitingOnes.length >= this.capacity) return false;
    waitingOnes.push(waiting);
    this.#size++;
    return true;
  }

  /** Takes the next group of at most `limit`; what was abandoned is dropped on the way. */
  take(limit: number): Waiting[] {
    const group: Waiting[] = [];
    let reserved = 0;
    for (const urgency of urgencies) reserved += this.#shareOf(urgency);
    for (const urgency of urgencies) {
      reserved -= this.#shareOf(urgency);
      this.#move(urgency, group, Math.max(limit - reserved, group.length));
    }
    return group;
  }

  /** Takes everything. */
  drain(): Waiting[] {
    const all = urgencies.flatMap((urgency) => this.#of(urgency).splice(0));
    this.#size = 0;
    return all;
  }

  #shareOf(urgency: Urgency): number {
    return Math.min(this.#of(urgency).length, shareOfEach);
  }

  #move(urgency: Urgency, group: Waiting[], fullAt: number): void {
    const waitingOnes = this.#of(urgency);
    let taken = 0;
    while (taken < waitingOnes.length && group.length < fullAt) {
      const next = waitingOnes[taken++] as Waiting;
      if (!next.abandoned) group.push(next);
    }
    waitingOnes.splice(0, taken);
    this.#size -= taken;
  }

  #of(urgency: Urgency): Waiting[] {
    return this.#classes.get(urgency) as Waiting[];
  }
}
