/** What of the store has changed, by another master. A hint to look: the tables have all of it. */
export interface Hint {
  readonly kind: HintKind;
  /** Names the row: an id, a key, or a number as text. */
  readonly subject: string;
}

export type HintKind =
  /** A queue has more work. */
  | 'queue'
  /** A stop of a job that runs is wanted, or no longer. */
  | 'job'
  /** A lease has ended, or has gone to another master. */
  | 'lease'
  /** A bot: its drain, its hold, its end, the master that has its stream. */
  | 'bot'
  | 'token'
  | 'secret'
  | 'campaign'
  | 'fuzz_campaign';

/** A master that shares the database, as its row says. */
export interface Peer {
  readonly id: number;
  readonly address: string;
  readonly version: string;
  readonly botsOnline: number;
  readonly freeSlots: number;
  readonly executionsPerSecond: number;
}

/** What a master tells the others of itself with each beat. */
export type OwnFigures = Pick<Peer, 'botsOnline' | 'freeSlots' | 'executionsPerSecond'>;

export interface ClusterListener {
  /** Rows that other masters have changed, in the order of their changes. */
  hinted(hints: readonly Hint[]): void;
  /** A master is gone: its leases wait for another one. */
  peerGone(): void;
  /**
   * The others have declared this master dead. Its leases are theirs from now on; it goes on
   * under a new id when this returns.
   */
  declaredDead(): void;
  /** This master is a member again, after a time in which it may have been declared dead. */
  backAgain(): void;
  figures(): OwnFigures;
}

/**
 * Several masters on one database: they meet in its tables only. Undefined where the database
 * belongs to one master.
 */
export interface Cluster {
  /** Names this start of the master; a new one after `declaredDead`. */
  readonly id: number;
  /**
   * The others count on this master. While they may not, no beat is answered and the lease
   * clock stands still: they may have given its leases to others.
   */
  readonly isMember: boolean;
  /** All that are there, this one included, as of the last beat. */
  readonly peers: readonly Peer[];
  listen(listener: ClusterListener): void;
  /** Runs `work`, unless another master is at the same round. */
  alone(round: string, work: () => Promise<void>): Promise<void>;
}

/** How a master takes part in a cluster. */
export interface ClusterOptions {
  /** HOST:PORT, where bots and operators reach this master. */
  readonly address: string;
  /** A master that was not seen for as long is declared dead. */
  readonly ttlMs: number;
  /** A database whose failover may lose acknowledged writes is taken, too. */
  readonly allowLostWrites: boolean;
  readonly version: string;
}

/** Runs a round of upkeep; of a cluster's masters one at a time does, and the others skip it. */
export const inRound = (
  { cluster }: { readonly cluster: Cluster | undefined },
  round: string,
  work: () => Promise<void>,
): Promise<void> => (cluster ? cluster.alone(round, work) : work());
