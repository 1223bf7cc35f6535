/** Events that are sent to the destinations of notifications, as in the index events_to_deliver. */
export const eventKinds = [
  'crash_group.new',
  'crash_group.reopened',
  'crash_group.fixed',
  'campaign.ended',
  'campaign.stuck',
  'campaign.unstuck',
  'bot.lost',
  'bot.back',
] as const;

export type EventKind = (typeof eventKinds)[number];
