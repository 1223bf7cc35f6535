/** What bots and operators of the load ask for, and the answers, as they stand in a history. */

export interface LeaseName {
  readonly jobId: string;
  readonly attempt: number;
  readonly fence: number;
}

interface Kinds {
  upload: [{ sha256: string }, Record<string, never>];
  create: [{ requestId: string }, { jobId: string }];
  /** One job. */
  read: [{ jobId: string }, { state: number; fence: number }];
  /** Ids of jobs, the newest `limit`. */
  /** A page, with whether another one follows. */
  list: [{ limit: number }, { jobIds: readonly string[]; hasMore?: boolean }];
  cancel: [{ jobId: string }, { state: number }];
  /** A bot's stream begins; leases that are not kept are no longer its own. */
  hello: [{ botId: string; leases: readonly LeaseName[] }, { kept: readonly LeaseName[] }];
  /** A bot receives a lease: asked and answered at once. */
  take: [{ botId: string }, LeaseName];
  /** `leases` of the answer: those that are valid, with what is left of them. */
  beat: [
    { botId: string; leases: readonly LeaseName[] },
    { leases: readonly (LeaseName & { remainingMs: number })[] },
  ];
  /** A result; `state` of the job after it. */
  done: [{ botId: string; lease: LeaseName; outcome: string }, { state: number }];
  crash: [{ lease: LeaseName; sha256: string }, { crashId: string }];
  push: [{ lease: LeaseName; sha256s: readonly string[] }, { added: number }];
  /** A fault, so that a reader of the history sees when. `restored`: leases before it mean nothing. */
  mark: [{ what: string }, Record<string, never>];
}

export type Kind = keyof Kinds;
export type Request<K extends Kind> = Kinds[K][0];
export type Answer<K extends Kind> = Kinds[K][1];

/**
 * `refused`: the answer says that nothing was done. `unknown`: there was no answer, or one that
 * leaves open whether it was done, such as DEADLINE_EXCEEDED.
 */
export type End = 'done' | 'refused' | 'unknown';

interface OperationOf<K extends Kind> {
  readonly id: number;
  readonly actor: string;
  readonly kind: K;
  readonly request: Request<K>;
  /** Milliseconds by the one clock of the load. */
  readonly askedAt: number;
  /** Infinity: never. */
  readonly answeredAt: number;
  readonly end: End;
  readonly answer: Answer<K> | undefined;
  /** Status and words of a failure. */
  readonly why: string;
}

export type Operation = { [K in Kind]: OperationOf<K> }[Kind];
export type Of<K extends Kind> = Extract<Operation, { kind: K }>;
export type Done<K extends Kind> = Of<K> & { readonly answer: Answer<K> };

/** Operations of one kind. */
export function of<K extends Kind>(operations: readonly Operation[], kind: K): Of<K>[] {
  return operations.filter((each): each is Of<K> => each.kind === kind);
}

/** Those of one kind that were acknowledged. */
export function done<K extends Kind>(operations: readonly Operation[], kind: K): Done<K>[] {
  return of(operations, kind).filter((each): each is Done<K> => each.end === 'done');
}
