import { unary } from '../client/call.js';
import { ExplainBotResponse } from '../gen/pandafuzz/v1/bot_service.js';
import { ExplainJobResponse } from '../gen/pandafuzz/v1/job_service.js';
import { findBot } from './fleet.js';
import { plainLines } from './format.js';
import { findId } from './ids.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';

/** `pandafuzz job explain` and `pandafuzz bot explain`. */

export function explainJob(flags: Flags, text: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { jobs } = connection;
    const jobId = await findId(connection, text, 'job', options);
    const told = await unary(jobs, jobs.explainJob, { jobId }, options);
    const place = told.rank === undefined || told.rank > 0 ? [] : ['it is the next of its kind'];
    print(flags, {
      json: () => ExplainJobResponse.toJSON(told),
      text: () => sentences([...told.reasons, ...place], 'nothing holds it up'),
    });
  });
}

export function explainBot(flags: Flags, idOrName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { bots } = connection;
    const botId = await findBot(connection, idOrName, options);
    const told = await unary(bots, bots.explainBot, { botId }, options);
    print(flags, {
      json: () => ExplainBotResponse.toJSON(told),
      text: () => sentences(told.reasons, 'it works at full capacity'),
    });
  });
}

const sentences = (reasons: readonly string[], otherwise: string) =>
  plainLines(reasons.length > 0 ? reasons.join('\n') : otherwise);
