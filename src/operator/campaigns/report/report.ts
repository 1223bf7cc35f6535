import { writeFile } from 'node:fs/promises';
import { plain, plainJson } from '../../../core/unseen.js';
import { GetCampaignResponse } from '../../../gen/pandafuzz/v1/campaign_service.js';
import { CoverageFile, CoverageReport } from '../../../gen/pandafuzz/v1/coverage_service.js';
import { CrashGroup } from '../../../gen/pandafuzz/v1/crash.js';
import { many, stackLines } from '../../crashes/describe.js';
import { checkOutputFile, replaceFile } from '../../output-file.js';
import { asking, type Flags } from '../../session.js';
import { documentOf, reproducer } from './document.js';
import { type CampaignReport, gatherReport } from './gather.js';
import { htmlReport } from './html.js';
import { markdownReport } from './markdown.js';

/** `pandafuzz campaign report`. */

export const reportFormats = ['markdown', 'html', 'json'] as const;

export interface CampaignReportFlags extends Flags {
  readonly project?: string;
  readonly format: (typeof reportFormats)[number];
  /** Crash groups that are shown at most. */
  readonly groups: number;
  readonly output?: string;
  readonly force?: boolean;
}

export function reportCampaign(flags: CampaignReportFlags, campaign: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { project = '', output, groups } = flags;
    if (output !== undefined) await checkOutputFile(output, flags.force ?? false);
    const report = await gatherReport(connection, { project, campaign }, groups, options);
    const text = written(report, flags.json ? 'json' : flags.format);
    if (output === undefined) {
      process.stdout.write(text);
      return;
    }
    await replaceFile(output, (path) => writeFile(path, text));
    const shown = many(report.groups.shown.length, 'crash group');
    process.stderr.write(`${plain(`${output}: ${shown}`)}\n`);
  });
}

function written(report: CampaignReport, format: CampaignReportFlags['format']): string {
  if (format === 'json') return `${plainJson(JSON.stringify(jsonOf(report), null, 2))}\n`;
  const blocks = documentOf(report);
  return format === 'html' ? htmlReport(blocks) : markdownReport(blocks);
}

/** What the master sent in protobuf's own JSON form, and curves as they are drawn. */
function jsonOf({ at, whole, figures, groups, coverage }: CampaignReport): unknown {
  return {
    at: at.toISOString(),
    ...(GetCampaignResponse.toJSON(whole) as object),
    executions: figures.executions,
    crashHits: figures.crashHits,
    curves: figures.curves.map(({ figure, engine, stepMs, points }) => ({
      figure,
      engine,
      stepSeconds: stepMs / 1000,
      points: points.map(({ time, value }) => ({ time: new Date(time).toISOString(), value })),
    })),
    ...(coverage && {
      coverage: {
        report: CoverageReport.toJSON(coverage.report),
        files: coverage.files.map(CoverageFile.toJSON),
      },
    }),
    groups: groups.shown.map(({ group, crash }) => ({
      group: CrashGroup.toJSON(group),
      crashId: crash.id,
      inputSha256: crash.inputSha256,
      stack: stackLines(crash),
      reproducer: reproducer(crash),
    })),
    moreGroups: groups.more,
    areMoreGroups: groups.areMore,
  };
}
