/** What a token is for. `enrol` makes a token of role bot, once. */
export const roles = ['viewer', 'operator', 'admin', 'bot', 'enrol'] as const;
export type Role = (typeof roles)[number];

/** Who is asking. */
export interface Principal {
  /** For events and logs: the name of the token, "anonymous" or "master". */
  readonly name: string;
  /** Undefined: everything is allowed, to callers while authentication is off and to the master itself. */
  readonly role: Role | undefined;
  /** Id of the token. */
  readonly tokenId?: string;
  /** Of a bot: the one that it is; undefined until it has registered. */
  readonly botId?: string | undefined;
  /** Of a bot: the value of its label "pool"; '': none. */
  readonly pool?: string;
  /** Of a viewer or operator: the projects that it is bound to. Undefined: all. */
  readonly projects?: readonly string[] | undefined;
}

/** A caller while authentication is off. */
export const anonymous: Principal = Object.freeze({ name: 'anonymous', role: undefined });

/** The master's own work. */
export const master: Principal = Object.freeze({ name: 'master', role: undefined });
