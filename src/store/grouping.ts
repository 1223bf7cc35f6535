/** A crash, as far as it decides in which group it is. Ids sort by age. */
export interface PlacedCrash {
  readonly id: string;
  /** The group that it is in now. */
  readonly groupId: string;
  readonly signature: string;
  /** Empty: its report could not be read. */
  readonly distinction: string;
}

/** A merge or a split that stands, by the crashes it is about. */
export interface StandingDecision {
  readonly id: string;
  readonly kind: 'merge' | 'split';
  /** Crashes that went. */
  readonly moved: readonly string[];
  /** Crashes that stand for the group which those of a merge came to. */
  readonly stayed: readonly string[];
}

/** Crashes that belong together. */
export interface Unit {
  /** The oldest first. */
  readonly crashes: readonly PlacedCrash[];
  /** The group that is theirs; undefined: a new one has to be made. */
  readonly groupId: string | undefined;
  /** Later crashes with one of these come to them. */
  readonly signatures: readonly string[];
  /** Later crashes with one of these come to them whatever their signature, by a split's decision. */
  readonly distinctions: ReadonlyMap<string, string>;
}

/**
 * Crashes of one target that are placed together: those of a signature, or those that a
 * split took out. A merge joins cells; `root` is the cell that stands for all joined ones.
 */
class Cell {
  #into: Cell | undefined;
  readonly signatures = new Set<string>();
  readonly distinctions = new Map<string, string>();
  readonly crashes: PlacedCrash[] = [];

  get root(): Cell {
    if (!this.#into) return this;
    this.#into = this.#into.root;
    return this.#into;
  }

  join(other: Cell): void {
    const [mine, theirs] = [this.root, other.root];
    if (mine !== theirs) theirs.#into = mine;
  }

  /** Adds its keys to those of the cell that stands for it. */
  addToRoot(): void {
    const { root } = this;
    for (const signature of this.signatures) root.signatures.add(signature);
    for (const [distinction, by] of this.distinctions) root.distinctions.set(distinction, by);
  }
}

/**
 * Decides which crashes of a target belong together: those of one signature, then what
 * people decided, in order. A split takes its crashes out, and with them the later ones
 * that nothing tells apart from them; a merge joins all that its crashes are placed with.
 *
 * A group belongs to the unit that has its oldest crash; of several groups a unit keeps
 * the one whose oldest crash is the oldest. So the result depends on crashes and decisions
 * alone, and placing what was placed moves nothing.
 *
 * @param crashes the oldest first
 * @param decisions the oldest first
 */
export function unitsOf(
  crashes: readonly PlacedCrash[],
  decisions: readonly StandingDecision[],
): Unit[] {
  const steps = placing(crashes, decisions);
  let next = steps.next();
  while (!next.done) next = steps.next();
  return next.value;
}

/** Crashes that are looked at between two steps: 5 ms of work at most. */
const crashesInStep = 1000;

/** As `unitsOf`, in steps, between which a thread can do something else. */
export function* placing(
  crashes: readonly PlacedCrash[],
  decisions: readonly StandingDecision[],
): Generator<void, Unit[]> {
  const cells = new Map<string, Cell>();
  const cellOf = new Map<string, Cell>();
  const placed = new Map<string, PlacedCrash>();
  /** By group, its oldest crash. */
  const oldest = new Map<string, string>();
  for (const [index, crash] of crashes.entries()) {
    if (index % crashesInStep === 0) yield;
    const { id, groupId, signature } = crash;
    const cell = cells.get(signature) ?? new Cell();
    cell.signatures.add(signature);
    cells.set(signature, cell);
    cellOf.set(id, cell);
    placed.set(id, crash);
    if (!oldest.has(groupId)) oldest.set(groupId, id);
  }
  for (const decision of decisions) {
    yield;
    if (decision.kind === 'split') split(decision, cellOf, placed);
    else merge(decision, cellOf);
  }
  yield;
  for (const cell of new Set(cellOf.values())) cell.addToRoot();
  const roots = new Set<Cell>();
  for (const [index, crash] of crashes.entries()) {
    if (index % crashesInStep === 0) yield;
    const { root } = cellOf.get(crash.id) as Cell;
    root.crashes.push(crash);
    roots.add(root);
  }
  return [...roots].map((root) => unitOf(root, oldest));
}

function split(
  { id: decisionId, moved }: StandingDecision,
  cellOf: Map<string, Cell>,
  placed: ReadonlyMap<string, PlacedCrash>,
): void {
  const own = new Cell();
  for (const id of moved) {
    const distinction = placed.get(id)?.distinction;
    if (distinction) own.distinctions.set(distinction, decisionId);
    if (distinction !== undefined) cellOf.set(id, own);
  }
  for (const { id, distinction } of placed.values()) {
    if (id > decisionId && own.distinctions.has(distinction)) cellOf.set(id, own);
  }
  for (const cell of new Set(cellOf.values())) {
    if (cell === own) continue;
    for (const distinction of own.distinctions.keys()) cell.distinctions.delete(distinction);
  }
}

function merge({ moved, stayed }: StandingDecision, cellOf: ReadonlyMap<string, Cell>): void {
  const [first, ...others] = [...stayed, ...moved].flatMap((id) => cellOf.get(id) ?? []);
  for (const cell of others) first?.join(cell);
}

function unitOf({ crashes, signatures, distinctions }: Cell, oldest: Map<string, string>): Unit {
  const owner = crashes.find(({ id, groupId }) => oldest.get(groupId) === id);
  return { crashes, groupId: owner?.groupId, signatures: [...signatures], distinctions };
}
