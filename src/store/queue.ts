import { type Urgency, urgencies } from './operation.js';

/** Calls of each urgency that every group has room for, so that none waits for ever. */
const shareOfEach = 16;

interface Queued {
  readonly abandoned: boolean;
  /** As in Operation. */
  readonly cost: number;
}

/** Calls that wait for a thread: the urgent first, and a small share of every group for each urgency. */
export class UrgencyQueue<Waiting extends Queued> {
  readonly #classes = new Map<Urgency, Waiting[]>(urgencies.map((urgency) => [urgency, []]));
  #size = 0;

  /** @param capacity how many of one urgency may wait */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#size;
  }

  depthOf(urgency: Urgency): number {
    return this.#of(urgency).length;
  }

  /** @returns false when its urgency is full */
  push(urgency: Urgency, waiting: Waiting): boolean {
    const waitingOnes = this.#of(urgency);
    if (waitingOnes.length >= this.capacity) return false;
    waitingOnes.push(waiting);
    this.#size++;
    return true;
  }

  /** Takes the next group, until its costs reach `groupSize`; abandoned calls are dropped. */
  take(groupSize: number): Waiting[] {
    const group: Waiting[] = [];
    let reserved = 0;
    for (const urgency of urgencies) reserved += this.#shareOf(urgency);
    let taken = 0;
    for (const urgency of urgencies) {
      reserved -= this.#shareOf(urgency);
      taken += this.#move(urgency, group, groupSize - reserved - taken);
    }
    return group;
  }

  /** Takes everything. */
  removeAll(): Waiting[] {
    const all = urgencies.flatMap((urgency) => this.#of(urgency).splice(0));
    this.#size = 0;
    return all;
  }

  #shareOf(urgency: Urgency): number {
    return Math.min(this.#of(urgency).length, shareOfEach);
  }

  /** @returns the costs of the calls that were moved: `free`, or more by the last call's */
  #move(urgency: Urgency, group: Waiting[], free: number): number {
    const waitingOnes = this.#of(urgency);
    let [moved, taken] = [0, 0];
    while (moved < waitingOnes.length && taken < free) {
      const next = waitingOnes[moved++] as Waiting;
      if (next.abandoned) continue;
      group.push(next);
      taken += next.cost;
    }
    waitingOnes.splice(0, moved);
    this.#size -= moved;
    return taken;
  }

  #of(urgency: Urgency): Waiting[] {
    return this.#classes.get(urgency) as Waiting[];
  }
}
