import { readOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';

const project = (table: string) =>
  statement<{ id: string }, { project: string }>(`SELECT project FROM ${table} WHERE id = @id`);

const tables = {
  job: project('jobs'),
  crash: project('crashes'),
  'crash group': project('crash_groups'),
  decision: project('crash_decisions'),
  campaign: project('fuzz_campaigns'),
} as const;

/** What has an id, and a project. */
export type OwnedKind = keyof typeof tables;

/** The project of the first of `kinds` that has this id; undefined when there is none. */
export const projectOf = readOperation(
  'project_of',
  function* (of: { kinds: readonly OwnedKind[]; id: string }): Steps<string | undefined> {
    for (const kind of of.kinds) {
      const row = yield* one(tables[kind], { id: of.id });
      if (row) return row.project;
    }
    return undefined;
  },
);

interface Used {
  sha256: string;
  project: string;
}

const field = ['target_sha256', 'seeds_sha256', 'dictionary_sha256'];
const uses = field.flatMap((column) => [
  `EXISTS (SELECT 1 FROM jobs WHERE ${column} = @sha256 AND project = @project)`,
  `EXISTS (SELECT 1 FROM builds WHERE ${column} = @sha256 AND project = @project)`,
  `EXISTS (SELECT 1 FROM campaign_builds JOIN fuzz_campaigns ON fuzz_campaigns.id = campaign_id
     WHERE ${column} = @sha256 AND fuzz_campaigns.project = @project)`,
]);
uses.push(
  `EXISTS (SELECT 1 FROM coverage_targets WHERE target_sha256 = @sha256 AND project = @project)`,
);
const isUsed = statement<Used, { used: number }>(`SELECT 1 AS used WHERE ${uses.join(' OR ')}`);

/** Whether a job, a build or a campaign of one of these projects has the artifact. */
export const isArtifactOf = readOperation(
  'is_artifact_of',
  function* (of: { sha256: string; projects: readonly string[] }): Steps<boolean> {
    for (const project of of.projects) {
      if (yield* one(isUsed, { sha256: of.sha256, project })) return true;
    }
    return false;
  },
);
