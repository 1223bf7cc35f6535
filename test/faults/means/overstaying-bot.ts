import { unary } from '../../../src/client/call.js';
import { connect } from '../../../src/client/connect.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { ScriptedBot } from '../../scripted-bot.js';
import { given, registerBot } from '../../steps.js';
import { leaseName } from '../load/bot.js';
import { Chance } from '../load/chance.js';
import type { Load } from '../load/load.js';
import { pause, stopwatch } from '../load/times.js';
import type { Scene } from '../scene.js';

const patienceMs = 60_000;
/** Of its job alone, so that it is offered no job of the load. */
const engine = 'honggfuzz';

/** A bot that beats and goes on with a job that is cancelled, until the job is taken from it. */
export async function overstays(
  scene: Scene,
  load: Load,
): Promise<{ isTaken: boolean; ms: number }> {
  const connection = connect(scene.address);
  const [operator] = load.operators;
  const { history } = scene;
  const actor = 'overstaying';
  try {
    const targetSha256 = await given(operator).target();
    const { id: botId } = await registerBot(connection, actor, { engines: [engine] });
    const requestId = new Chance(scene.seed, actor).uuid();
    const spec = JobSpec.create({ engine, targetSha256 });
    const { jobs } = connection;
    const { job } = await history.record(
      actor,
      'create',
      { requestId },
      () => unary(jobs, jobs.createJob, { spec, requestId }),
      (answer) => ({ jobId: given(answer.job).id }),
    );
    const bot = new ScriptedBot(connection, botId);
    await bot.hello(1);
    const lease = await bot.take();
    history.note(actor, 'take', { botId }, leaseName(lease));
    await bot.beat(0, [lease]);
    await unary(jobs, jobs.cancelJob, { jobId: given(job).id });
    const took = stopwatch();
    let isTaken = false;
    while (!isTaken && took() < patienceMs) {
      const ack = await bot.beat(0, [lease]);
      isTaken = ack.leases.some(({ remainingTtlMs }) => remainingTtlMs === 0);
      await pause(100);
    }
    bot.leave();
    return { isTaken, ms: took() };
  } finally {
    connection.close();
  }
}
