import type { Need, Offer } from './matching.js';
import type { Taker } from './taker.js';
import { Turns } from './turns.js';

/** What Dispatch keeps in memory about jobs that wait and about bots that are free. */

/** Queues with the same requirements, whatever their campaigns and whichever bot they exclude. */
export interface Kind {
  readonly key: string;
  readonly need: Need;
  /** How many there are. */
  queues: number;
  readonly ready: Set<Queue>;
  /** Profiles that fit it. */
  readonly profiles: Set<Profile>;
}

export interface Campaign {
  readonly key: string;
  /** How many queues it has. */
  queues: number;
  /** Its queues with work, by kind. */
  readonly ready: Map<Kind, Set<Queue>>;
  /** Profiles that have passed it over, as it had reached its limit. */
  readonly full: Set<Profile>;
}

export interface Queue {
  readonly id: number;
  readonly campaign: Campaign;
  readonly kind: Kind;
  /** The bot that its jobs exclude; empty: none. */
  readonly otherThanBotId: string;
  /** Jobs that wait, as far as known: as many or fewer wait in the store. */
  waiting: number;
  /** A campaign makes jobs for it at the moment that they are taken. */
  isSupplied: boolean;
  /** Claims under way that name it. */
  claiming: number;
  /** Bots for which no job is known: those waiting avoid them. */
  readonly emptyFor: Set<string>;
  arrivals: number;
}

/** Takers with the same offer. */
export interface Profile {
  readonly key: string;
  readonly offer: Offer;
  /** How many takers it has, with credit and without. */
  users: number;
  /** Its turns have all campaigns with work for it. */
  isCurrent: boolean;
  /** Takers with credit, in the order in which they became free. */
  readonly takers: Set<Taker>;
  readonly kinds: Set<Kind>;
  /** Campaigns with work for it. */
  readonly turns: Turns<Campaign>;
}

export const newKind = (key: string, need: Need): Kind => ({
  key,
  need,
  queues: 0,
  ready: new Set(),
  profiles: new Set(),
});

export const newCampaign = (key: string): Campaign => ({
  key,
  queues: 0,
  ready: new Map(),
  full: new Set(),
});

export const newProfile = (key: string, offer: Offer): Profile => ({
  key,
  offer,
  users: 0,
  isCurrent: false,
  takers: new Set(),
  kinds: new Set(),
  turns: new Turns<Campaign>((campaign) => campaign.ready.size > 0),
});

/** A job waits in it that no claim is after. */
export const hasWaiting = (queue: Queue): boolean => queue.waiting > queue.claiming;

export const isReady = (queue: Queue): boolean => queue.isSupplied || hasWaiting(queue);

export const isFor = ({ otherThanBotId, emptyFor }: Queue, botId: string): boolean =>
  otherThanBotId !== botId && !emptyFor.has(botId);
