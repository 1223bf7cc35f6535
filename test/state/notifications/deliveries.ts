import { type Delivery, deliveryOf } from '../../../src/state/notifications/delivery.js';
import type { FuzzCampaignRow } from '../../../src/store/campaign-rows.js';
import type { CrashGroupRow } from '../../../src/store/crash-rows.js';

const time = Date.UTC(2026, 0, 31, 9, 30);

/** Of a new crash group, with some of its columns. */
export function groupDelivery(more: Partial<CrashGroupRow> = {}, name = 'chat'): Delivery {
  const group = {
    ...{ id: '019c12f0-5a3e-7c55-9d0e-3f1f4a6b7c81', project: 'default', target_name: 'png' },
    ...{ kind: 'SEGV', message: '', top_frame: 'read_row', frames: '[]', hits: 1, count: 1 },
    ...{ status: 'new', security: 1, first_found_at: time, last_found_at: time },
    ...more,
  } as CrashGroupRow;
  return deliveryOf(name, { kind: 'crash_group.new', sequence: 7, time, about: 'group', group });
}

/** Of a campaign that is stuck. */
export function campaignDelivery(text: string, more: Partial<FuzzCampaignRow> = {}): Delivery {
  const campaign = {
    ...{ id: '019c12f0-5a3e-7c55-9d0e-3f1f4a6b7c82', project: 'default', name: 'png' },
    ...{ target_name: 'png', state: 'active', runs: 3, finding_runs: 1, cpu_ms: 3_600_000 },
    ...{ crash_groups: 0, last_find_at: null },
    ...more,
  } as FuzzCampaignRow;
  const about = { about: 'campaign', campaign, text } as const;
  return deliveryOf('chat', { kind: 'campaign.stuck', sequence: 8, time, ...about });
}

/** Of bots that are lost. */
export function botsDelivery(names: readonly string[], count = names.length): Delivery {
  const bots = names.map((name) => ({ id: `id of ${name}`, name }));
  return deliveryOf('chat', { kind: 'bot.lost', sequence: 9, time, about: 'bots', bots, count });
}
