import type { BotService } from '../gen/pandafuzz/v1/bot_service.js';
import type { CampaignService } from '../gen/pandafuzz/v1/campaign_service.js';
import type { CorpusService } from '../gen/pandafuzz/v1/corpus_service.js';
import type { CoverageService } from '../gen/pandafuzz/v1/coverage_service.js';
import type { CrashService } from '../gen/pandafuzz/v1/crash_service.js';
import type { IdentityService } from '../gen/pandafuzz/v1/identity_service.js';
import type { JobService } from '../gen/pandafuzz/v1/job_service.js';
import type { StatisticsService } from '../gen/pandafuzz/v1/statistics_service.js';
import type { SystemService } from '../gen/pandafuzz/v1/system_service.js';
import type { TargetService } from '../gen/pandafuzz/v1/target_service.js';

/** The contract as types alone: none of it is in the bundle. */
export interface Services {
  BotService: BotService;
  CampaignService: CampaignService;
  CorpusService: CorpusService;
  CoverageService: CoverageService;
  CrashService: CrashService;
  IdentityService: IdentityService;
  JobService: JobService;
  StatisticsService: StatisticsService;
  SystemService: SystemService;
  TargetService: TargetService;
}

/** As JSON has it: bytes are base64. */
export type Json<T> = T extends Uint8Array
  ? string
  : T extends string
    ? T
    : T extends readonly (infer One)[]
      ? Json<One>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

type Methods<Name extends keyof Services> = Services[Name];
export type Method<Name extends keyof Services> = keyof Methods<Name> & string;

// biome-ignore lint/suspicious/noExplicitAny: any method of any service
type Function = (request: any) => unknown;
type Of<Name extends keyof Services, M extends Method<Name>> = Extract<Methods<Name>[M], Function>;

export type RequestOf<Name extends keyof Services, M extends Method<Name>> = Parameters<
  Of<Name, M>
>[0];
export type AnswerOf<Name extends keyof Services, M extends Method<Name>> =
  ReturnType<Of<Name, M>> extends Promise<infer One> ? Json<One> : never;
export type StreamedOf<Name extends keyof Services, M extends Method<Name>> =
  ReturnType<Of<Name, M>> extends AsyncIterable<infer One> ? Json<One> : never;
