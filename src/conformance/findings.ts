import { type Rule, rules } from './rules.js';

export type Verdict = 'passed' | 'failed' | 'skipped';

/** Why a rule was not checked that --only or --skip leaves out. */
export const notAsked = 'it was not asked for';

export interface Finding {
  readonly rule: Rule;
  readonly verdict: Verdict;
  /** What the bot got wrong, or why it was not checked; empty when passed. */
  readonly why: string;
}

/** The bot did not do what a rule says. The message says what it did, in plain words. */
export class Breach extends Error {}

/** The rule cannot be checked with this bot. */
export class Skip extends Error {}

/** The bot ended, or all the time is used up: the check that was under way says nothing. */
export class CutShort extends Error {}

/**
 * What was found so far. Some rules have a check of their own; others are watched in every
 * message, and pass when messages of their kind came and none broke them.
 */
export class Findings {
  readonly #seen = new Set<Rule>();
  readonly #failed = new Map<Rule, string>();
  readonly #skipped = new Map<Rule, string>();

  /** The bot did what the rule says, at least once. */
  kept(rule: Rule): void {
    this.#seen.add(rule);
  }

  /** The first breach of a rule is the one that is reported. */
  broken(rule: Rule, why: string): void {
    if (!this.#failed.has(rule)) this.#failed.set(rule, why);
  }

  skipped(rule: Rule, why: string): void {
    this.#skipped.set(rule, why);
  }

  hasFailed(rule: Rule): boolean {
    return this.#failed.has(rule);
  }

  /** In the order of the rules. @param unseen why rules were not met */
  all(unseen: string): Finding[] {
    return rules.map((rule) => {
      const problem = this.#failed.get(rule);
      if (problem !== undefined) return { rule, verdict: 'failed', why: problem };
      if (this.#seen.has(rule)) return { rule, verdict: 'passed', why: '' };
      return { rule, verdict: 'skipped', why: this.#skipped.get(rule) ?? unseen };
    });
  }
}
