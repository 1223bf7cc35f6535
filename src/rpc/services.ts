import { ArtifactServiceService } from '../gen/pandafuzz/v1/artifact_service.js';
import { BotServiceService } from '../gen/pandafuzz/v1/bot_service.js';
import { CorpusServiceService } from '../gen/pandafuzz/v1/corpus_service.js';
import { CrashServiceService } from '../gen/pandafuzz/v1/crash_service.js';
import { JobServiceService } from '../gen/pandafuzz/v1/job_service.js';
import { SystemServiceService } from '../gen/pandafuzz/v1/system_service.js';

export const packageName = 'pandafuzz.v1';

/** Every service of the contract. */
export const services = {
  ArtifactService: ArtifactServiceService,
  BotService: BotServiceService,
  CorpusService: CorpusServiceService,
  CrashService: CrashServiceService,
  JobService: JobServiceService,
  SystemService: SystemServiceService,
};

export const serviceNames = Object.keys(services) as (keyof typeof services)[];
