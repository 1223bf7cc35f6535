import { startMaster } from '../src/app.js';
import { loadMasterConfig } from '../src/config/load.js';
import { formatAddress } from '../src/config/quantities.js';
import { createLog } from '../src/core/log.js';
import { beAsked } from './asked.js';

/** A master as it ships, its log included, in a process of its own. */

const config = loadMasterConfig({ environment: process.env });
const { grpc, stop } = await startMaster(config, createLog(config.log));
beAsked(formatAddress(grpc), stop);
