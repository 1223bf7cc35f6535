import { fits, type Need, type Offer } from './matching.js';
import { type Kind, newKind, newProfile, type Profile } from './waiting.js';

/** Profiles without takers that are kept for the next ones. */
const keptProfiles = 64;

/**
 * Which profiles fit which kinds. Both are indexed by what they ask or have: a kind by its
 * engine and its first label, a profile by each of its engines with each of its labels. So
 * a new kind is compared only with profiles that have this label, and a new profile only
 * with kinds that ask for what it has.
 */
export class Fitting {
  readonly #kinds = new Map<string, Kind>();
  readonly #profiles = new Map<string, Profile>();
  readonly #kindsAt = new Map<string, Set<Kind>>();
  readonly #profilesAt = new Map<string, Set<Profile>>();
  readonly #unused = new Set<Profile>();
  /** Pairs that were compared so far. */
  compared = 0;

  kindOf(need: Need): Kind {
    const key = JSON.stringify(need);
    const known = this.#kinds.get(key);
    if (known) return known;
    const kind = newKind(key, need);
    this.#kinds.set(key, kind);
    const place = placeOf(need);
    add(this.#kindsAt, place, kind);
    for (const profile of this.#profilesAt.get(place) ?? []) this.#compare(profile, kind);
    return kind;
  }

  /** Forgets a kind that has no queue. */
  removeKind(kind: Kind): void {
    this.#kinds.delete(kind.key);
    remove(this.#kindsAt, placeOf(kind.need), kind);
    for (const profile of kind.profiles) profile.kinds.delete(kind);
  }

  /** The profile of a new taker. */
  enter(offer: Offer): Profile {
    const key = keyOf(offer);
    const profile = this.#profiles.get(key) ?? this.#addProfile(key, offer);
    profile.users++;
    this.#unused.delete(profile);
    return profile;
  }

  /** A taker has left its profile. */
  leave(profile: Profile): void {
    profile.users--;
    if (profile.users > 0) return;
    this.#unused.add(profile);
    const [oldest] = this.#unused;
    if (oldest && this.#unused.size > keptProfiles) this.#removeProfile(oldest);
  }

  #addProfile(key: string, offer: Offer): Profile {
    const profile = newProfile(key, offer);
    this.#profiles.set(key, profile);
    for (const place of placesOf(offer)) {
      add(this.#profilesAt, place, profile);
      for (const kind of this.#kindsAt.get(place) ?? []) this.#compare(profile, kind);
    }
    return profile;
  }

  #removeProfile(profile: Profile): void {
    this.#unused.delete(profile);
    this.#profiles.delete(profile.key);
    for (const place of placesOf(profile.offer)) remove(this.#profilesAt, place, profile);
    for (const kind of profile.kinds) kind.profiles.delete(profile);
  }

  #compare(profile: Profile, kind: Kind): void {
    this.compared++;
    if (!fits(profile.offer, kind.need)) return;
    profile.kinds.add(kind);
    kind.profiles.add(profile);
  }
}

function keyOf({ engines, labels, ...amounts }: Offer): string {
  return JSON.stringify([[...engines].sort(), Object.entries(labels).sort(), amounts]);
}

/** The first label in the order of names. */
function placeOf({ engine, labels }: Need): string {
  const [first] = Object.entries(labels).sort();
  return first ? JSON.stringify([engine, ...first]) : engine;
}

const placesOf = ({ engines, labels }: Offer): Set<string> =>
  new Set(
    engines.flatMap((engine) => [
      engine,
      ...Object.entries(labels).map((label) => JSON.stringify([engine, ...label])),
    ]),
  );

function add<Value>(index: Map<string, Set<Value>>, place: string, value: Value): void {
  const there = index.get(place);
  if (there) there.add(value);
  else index.set(place, new Set([value]));
}

function remove<Value>(index: Map<string, Set<Value>>, place: string, value: Value): void {
  const there = index.get(place);
  there?.delete(value);
  if (there?.size === 0) index.delete(place);
}
