import type { Notice } from '../../store/ops/notifications/next-notice.js';

/** What is sent: an event, or a test that somebody asked for. */
export type Sent =
  | Notice
  | { readonly about: 'test'; readonly kind: 'test'; readonly time: number };

/** One event for one destination. The same delivery keeps its id, however often it is tried. */
export interface Delivery {
  readonly id: string;
  readonly event: Sent['kind'];
  /** When the event happened, ms since 1970. */
  readonly time: number;
  readonly sent: Sent;
}

export const deliveryOf = (destination: string, notice: Notice): Delivery => ({
  id: `${destination}-${notice.sequence}`,
  event: notice.kind,
  time: notice.time,
  sent: notice,
});

/** @param now ms since 1970, which makes its id */
export const testDelivery = (destination: string, now: number): Delivery => ({
  id: `${destination}-test-${now}`,
  event: 'test',
  time: now,
  sent: { about: 'test', kind: 'test', time: now },
});
