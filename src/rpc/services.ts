import {
  ArtifactServiceDefinition,
  ArtifactServiceService,
} from '../gen/pandafuzz/v1/artifact_service.js';
import { BotServiceDefinition, BotServiceService } from '../gen/pandafuzz/v1/bot_service.js';
import {
  CampaignServiceDefinition,
  CampaignServiceService,
} from '../gen/pandafuzz/v1/campaign_service.js';
import {
  CorpusServiceDefinition,
  CorpusServiceService,
} from '../gen/pandafuzz/v1/corpus_service.js';
import {
  CoverageServiceDefinition,
  CoverageServiceService,
} from '../gen/pandafuzz/v1/coverage_service.js';
import { CrashServiceDefinition, CrashServiceService } from '../gen/pandafuzz/v1/crash_service.js';
import {
  IdentityServiceDefinition,
  IdentityServiceService,
} from '../gen/pandafuzz/v1/identity_service.js';
import { JobServiceDefinition, JobServiceService } from '../gen/pandafuzz/v1/job_service.js';
import {
  SecretServiceDefinition,
  SecretServiceService,
} from '../gen/pandafuzz/v1/secret_service.js';
import {
  StatisticsServiceDefinition,
  StatisticsServiceService,
} from '../gen/pandafuzz/v1/statistics_service.js';
import {
  SystemServiceDefinition,
  SystemServiceService,
} from '../gen/pandafuzz/v1/system_service.js';
import {
  TargetServiceDefinition,
  TargetServiceService,
} from '../gen/pandafuzz/v1/target_service.js';

export const packageName = 'pandafuzz.v1';

/** Every service of the contract. */
export const services = {
  ArtifactService: ArtifactServiceService,
  BotService: BotServiceService,
  CampaignService: CampaignServiceService,
  CorpusService: CorpusServiceService,
  CoverageService: CoverageServiceService,
  CrashService: CrashServiceService,
  IdentityService: IdentityServiceService,
  JobService: JobServiceService,
  SecretService: SecretServiceService,
  StatisticsService: StatisticsServiceService,
  SystemService: SystemServiceService,
  TargetService: TargetServiceService,
};

/** The same, with the codecs of their messages. */
export const definitions = {
  ArtifactService: ArtifactServiceDefinition,
  BotService: BotServiceDefinition,
  CampaignService: CampaignServiceDefinition,
  CorpusService: CorpusServiceDefinition,
  CoverageService: CoverageServiceDefinition,
  CrashService: CrashServiceDefinition,
  IdentityService: IdentityServiceDefinition,
  JobService: JobServiceDefinition,
  SecretService: SecretServiceDefinition,
  StatisticsService: StatisticsServiceDefinition,
  SystemService: SystemServiceDefinition,
  TargetService: TargetServiceDefinition,
};

export const serviceNames = Object.keys(services) as (keyof typeof services)[];
