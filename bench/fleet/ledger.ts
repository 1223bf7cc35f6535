import Database from 'better-sqlite3';

/** What the master's database says became of all the jobs. */
export interface Ledger {
  readonly jobs: number;
  readonly completedJobs: number;
  /** Runs that were ever begun, those included that ended in nothing. */
  readonly runs: number;
  readonly completedRuns: number;
  readonly lostRuns: number;
  /** Attempts that count against a job's limit, with no result to show for it. */
  readonly charged: number;
}

export function ledgerIn(directory: string): Ledger {
  const db = new Database(`${directory}/pandafuzz.db`, { readonly: true });
  try {
    return db
      .prepare<[], Ledger>(`
        SELECT jobs, completedJobs, runs, completedRuns, lostRuns, charged
        FROM (
          SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'completed') AS completedJobs,
            coalesce(sum(failed_attempts + refused_attempts), 0) AS charged
          FROM jobs),
        (
          SELECT count(*) AS runs, count(*) FILTER (WHERE outcome = 'completed') AS completedRuns,
            count(*) FILTER (WHERE outcome = 'lost') AS lostRuns
          FROM attempts)`)
      .get() as Ledger;
  } finally {
    db.close();
  }
}
