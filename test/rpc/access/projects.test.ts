import { status as Code } from '@grpc/grpc-js';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unary } from '../../../src/client/call.js';
import type { Connection } from '../../../src/client/connect.js';
import { newId } from '../../../src/core/ids.js';
import { ErrorInfo } from '../../../src/gen/google/rpc/error_details.js';
import { Role } from '../../../src/gen/pandafuzz/v1/identity_service.js';
import { JobState } from '../../../src/gen/pandafuzz/v1/job.js';
import {
  GetJobRequest,
  type WatchJobsResponse,
} from '../../../src/gen/pandafuzz/v1/job_service.js';
import { permissions } from '../../../src/rpc/permissions.js';
import { type ProjectRule, projectRules } from '../../../src/rpc/projects.js';
import { runMasterFor, shared, temporaryFolder } from '../../harness.js';
import { runSecuredMaster, type SecuredMaster } from '../../secured.js';
import { createJob, eventually, given, uploadTarget } from '../../steps.js';
import { everyMethod } from '../../wire/contract.js';
import { type RawAnswer, RawClient } from '../../wire/raw-client.js';
import { validRequests } from '../../wire/requests.js';
import { ask, json, jsonOf } from '../connect/transport.js';

describe('the table of what callers of projects may call', () => {
  test('has a rule for every method that people may call, and no other', () => {
    const people = [...permissions].filter(
      ([, allowed]) => allowed !== 'anyone' && allowed.includes('operator'),
    );
    const forPeople = people.map(([path]) => path).filter((path) => !path.includes('EnrolBot'));
    expect([...projectRules.keys()].sort()).toEqual(forPeople.sort());
  });

  test('lets them do nothing to bots, and see nothing of all projects together', () => {
    for (const name of ['BotService/DrainBot', 'BotService/DeleteBot', 'BotService/ReadBotLog']) {
      expect(projectRules.get(`/pandafuzz.v1.${name}`)).toBe('every project');
    }
    expect(projectRules.get('HTTP/metrics')).toBe('every project');
  });
});

/** Texts by which something of the project "default" is known. */
const foreign = new Set<string>();
let requests: Record<string, readonly Uint8Array[]>;
let scene: SecuredMaster;
let operator: string;
/** An operator of "a", of "b", and of both. */
let both: Connection;
let ofA: Connection;

const reasonOf = ({ details }: RawAnswer): string => {
  const info = details.details.find(({ typeUrl }) => typeUrl.endsWith('ErrorInfo'));
  return info ? ErrorInfo.decode(info.value).reason : '';
};

beforeAll(async () => {
  const directory = temporaryFolder();
  const open = await runMasterFor({}, directory);
  const { connection } = open;
  requests = await validRequests(connection);
  for (const name of await idsIn(connection)) foreign.add(name);
  await open.master.stop();
  scene = await shared(() => runSecuredMaster({}, directory));
  const as = (token: string) => shared(async () => scene.as(token));
  const make = async (projects: string[], role = Role.OPERATOR) =>
    (await scene.token(role, { projects })).secret;
  operator = await make(['elsewhere']);
  ofA = await as(await make(['a']));
  both = await as(await make(['b', 'a'], Role.VIEWER));
  const { sha256: targetSha256 } = await uploadTarget(ofA);
  for (const project of ['a', 'b', 'a', 'b']) {
    await createJob(scene.admin, { project, targetSha256 });
  }
});

/** What the lists of the project have. */
async function idsIn({ jobs, crashes, campaigns }: Connection): Promise<string[]> {
  const page = { pageSize: 100, pageToken: '' };
  const listed = await unary(jobs, jobs.listJobs, { ...page, state: JobState.UNSPECIFIED });
  const found = await unary(crashes, crashes.listCrashes, { ...page, groupId: '', jobId: '' });
  const all = { ...page, project: '', archived: true };
  const made = await unary(campaigns, campaigns.listCampaigns, all);
  return [
    ...listed.jobs.flatMap(({ id, spec }) => [id, given(spec).targetSha256]),
    ...found.crashes.flatMap(({ id, groupId, inputSha256 }) => [id, groupId, inputSha256]),
    ...made.campaigns.map(({ id }) => id),
  ];
}

type Messages = readonly Uint8Array[];

/** What the other project's operator is answered. */
const answerTo = (client: RawClient, path: string, messages: Messages): Promise<RawAnswer> =>
  client.call(path, messages, { authorization: `Bearer ${operator}`, 'grpc-timeout': '2S' });

const peoples = everyMethod().filter(({ path }) => projectRules.has(path));

test("another project's operator gets nothing of it by any method", async () => {
  const client = new RawClient(scene.address);
  const answers = peoples.map(async ({ name, path }) => {
    const answer = await answerTo(client, path, given(requests[name]));
    expectNothing(name, projectRules.get(path), answer);
  });
  await Promise.all(answers);
});

function expectNothing(name: string, rule: ProjectRule | undefined, answer: RawAnswer): void {
  const told = Buffer.concat([...answer.messages, Buffer.from(answer.message)]).toString('latin1');
  for (const text of foreign) expect(told).not.toContain(text);
  if (rule === 'every project') {
    const got = [name, answer.code, reasonOf(answer)];
    expect(got).toEqual([name, Code.PERMISSION_DENIED, 'EVERY_PROJECT_NEEDED']);
  } else if (typeof rule === 'object' && rule.check && name !== 'JobService/WatchJobs') {
    const isRefused = [Code.NOT_FOUND, Code.PERMISSION_DENIED].includes(answer.code);
    expect([name, answer.message, isRefused]).toEqual([name, answer.message, true]);
  } else {
    // A list that names the project is refused, another one has none of it. Its own token is of no
    // sign-in.
    const isFine = [Code.OK, Code.DEADLINE_EXCEEDED].includes(answer.code);
    const isRefused = ['OTHER_PROJECT', 'NOT_SIGNED_IN'].includes(reasonOf(answer));
    expect([name, isFine || isRefused]).toEqual([name, true]);
  }
}

test("another project's job is as one that there never was", async () => {
  const [own] = await idsIn(scene.admin);
  const client = new RawClient(scene.address);
  const get = async (jobId: string) => {
    const request = GetJobRequest.encode({ jobId }).finish();
    const { code, message } = await answerTo(client, '/pandafuzz.v1.JobService/GetJob', [request]);
    return { code, message };
  };
  expect(await get(given(own))).toEqual(await get(newId()));
  expect((await get(given(own))).code).toBe(Code.NOT_FOUND);
});

test('a list has the projects of its caller, one after the other, page by page', async () => {
  const { jobs } = both;
  const projects: string[] = [];
  const sizes: number[] = [];
  for (let pageToken = ''; ; ) {
    const request = { pageSize: 1, pageToken, state: JobState.UNSPECIFIED };
    const page = await unary(jobs, jobs.listJobs, request);
    projects.push(...page.jobs.map(({ spec }) => given(spec).project));
    sizes.push(page.jobs.length);
    if (page.nextPageToken === '') break;
    pageToken = page.nextPageToken;
  }
  expect(projects).toEqual(['a', 'a', 'b', 'b']);
  expect(Math.max(...sizes)).toBe(1);
  const wrong = { pageSize: 1, pageToken: 'default:', state: JobState.UNSPECIFIED };
  await expect(unary(jobs, jobs.listJobs, wrong)).rejects.toMatchObject({
    code: Code.INVALID_ARGUMENT,
  });
});

test('a watch has events of the jobs of its caller alone', async () => {
  const call = ofA.jobs.watchJobs({ cursor: 1, jobId: '' });
  const events: WatchJobsResponse[] = [];
  call.on('data', (event: WatchJobsResponse) => events.push(event));
  call.on('error', () => {}); // it is cancelled
  await createJob(scene.admin, { project: 'b', targetSha256: await targetOf(ofA) });
  const last = (await createJob(ofA, { project: 'a', targetSha256: await targetOf(ofA) })).id;
  await eventually(async () => events.find(({ job }) => job?.id === last));
  call.cancel();
  expect(events.length).toBeGreaterThan(2);
  expect(new Set(events.map(({ job }) => job?.spec?.project))).toEqual(new Set(['a']));
});

async function targetOf({ jobs }: Connection): Promise<string> {
  const page = { pageSize: 1, pageToken: '', state: JobState.UNSPECIFIED };
  const { jobs: found } = await unary(jobs, jobs.listJobs, page);
  return given(found[0]?.spec).targetSha256;
}

test('it may do with its own project what its role may, and no more', async () => {
  const targetSha256 = await targetOf(ofA);
  const job = await createJob(ofA, { project: 'a', targetSha256 });
  const cancelled = await unary(ofA.jobs, ofA.jobs.cancelJob, { jobId: job.id });
  expect(given(cancelled.job).state).toBe(JobState.CANCELLED);
  const { token } = await unary(ofA.identity, ofA.identity.getCaller, {});
  expect(given(token).projects).toEqual(['a']);
  const denied = { code: Code.PERMISSION_DENIED };
  await expect(createJob(ofA, { targetSha256 })).rejects.toMatchObject(denied);
  await expect(createJob(ofA, { project: 'b', targetSha256 })).rejects.toMatchObject(denied);
  const intoOther = { project: 'a', campaign: 'b/nightly', targetSha256 };
  await expect(createJob(ofA, intoOther)).rejects.toMatchObject(denied);
  await expect(createJob(both, { project: 'a', targetSha256 })).rejects.toMatchObject(denied);
});

test('by the Connect protocol it is the same', async () => {
  const [jobId] = await idsIn(scene.admin);
  const headers = { ...json, authorization: `Bearer ${operator}` };
  const question = { headers, body: JSON.stringify({ jobId }) };
  const answer = await ask(scene.master.http, '/pandafuzz.v1.JobService/GetJob', question);
  expect(jsonOf(answer)).toMatchObject({ code: 'not_found' });

  const body = JSON.stringify({ key: 'elsewhere/own', weight: 3, maxParallel: 0 });
  const change = await ask(scene.master.http, '/pandafuzz.v1.JobService/SetCampaign', {
    headers,
    body,
  });
  expect(change.status).toBe(200);
  const { identity } = scene.admin;
  const page = { pageSize: 1, pageToken: '', since: undefined, oldestFirst: false };
  const { entries } = await unary(identity, identity.listAuditEntries, {
    ...page,
    caller: 'operator',
  });
  expect(entries).toMatchObject([
    { method: 'JobService/SetCampaign', role: 'operator', address: '127.0.0.1', outcome: 'OK' },
  ]);
  expect(entries[0]?.about).toContain('elsewhere/own');
});

test('only viewers and operators are bound to projects, by names that projects have', async () => {
  const invalid = { code: Code.INVALID_ARGUMENT };
  await expect(scene.token(Role.ADMIN, { projects: ['a'] })).rejects.toMatchObject(invalid);
  await expect(scene.token(Role.BOT, { projects: ['a'] })).rejects.toMatchObject(invalid);
  await expect(scene.token(Role.VIEWER, { projects: ['a/b'] })).rejects.toMatchObject(invalid);
  await expect(scene.token(Role.VIEWER, { projects: ['a', 'a'] })).rejects.toMatchObject(invalid);
  const many = Array.from({ length: 17 }, (_, index) => `p${index}`);
  await expect(scene.token(Role.VIEWER, { projects: many })).rejects.toMatchObject(invalid);
});
