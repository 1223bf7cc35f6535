import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** In the order in which databases have gone through them; a new one is added at the end. */
const known = [
  '0001-foundation.sql',
  '0002-upkeep.sql',
  '0003-vitals.sql',
  '0004-first-event.sql',
  '0005-drain-acknowledged.sql',
  '0006-corpora.sql',
  '0007-evidence.sql',
  '0008-crash-work.sql',
  '0009-webhooks.sql',
  '0010-targets.sql',
  '0011-blame.sql',
  '0012-packs.sql',
  '0013-corpora.sql',
  '0015-bots.sql',
  '0016-isolation.sql',
  '0017-engines.sql',
  '0018-bots.sql',
  '0020-faults.sql',
  '0030-identity.sql',
  '0040-campaigns.sql',
  '0041-campaign-shares.sql',
  '0050-series.sql',
  '0051-jobs-of-a-target.sql',
  '0071-run-sums.sql',
  '0080-audit.sql',
  '0081-forecasts.sql',
  '0082-groups-of-earlier-builds.sql',
  '0093-projects-of-tokens.sql',
  '0094-quotas.sql',
  '0095-secrets.sql',
  '0096-certificates.sql',
  '0100-notices.sql',
  '0110-coverage.sql',
  '0130-blob-place.sql',
];

test('migrations only come after those that are there: their position is the version', () => {
  const names = readdirSync('src/store/sqlite/migrations').sort();
  expect(names.slice(0, known.length)).toEqual(known);
});
