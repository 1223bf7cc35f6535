import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Vitals } from '../state/upkeep/vitals.js';
import { packageName, serviceNames } from './services.js';

/** Services that need no writes. */
const readOnly = new Set<string>(['SystemService']);
/** Services that receive files, and need room for them. */
const bringFiles = new Set<string>(['ArtifactService', 'CorpusService', 'CrashService']);

/**
 * grpc.health.v1, per service and, under the empty name, for the whole master: SERVING
 * while writes work and the disk has room, as far as the service needs them.
 */
export function addHealth(server: Server, vitals: Vitals): { stop(): void } {
  const health = new HealthImplementation();
  const update = () => {
    const { writes, room } = vitals;
    for (const name of serviceNames) {
      const needsWrites = !readOnly.has(name);
      const serves = (writes || !needsWrites) && (room || !bringFiles.has(name));
      health.setStatus(`${packageName}.${name}`, serves ? 'SERVING' : 'NOT_SERVING');
    }
    health.setStatus('', writes && room ? 'SERVING' : 'NOT_SERVING');
  };
  update();
  vitals.onChange(update);
  health.addToServer(server);
  return {
    stop() {
      vitals.onChange(() => {});
      for (const name of ['', ...serviceNames.map((name) => `${packageName}.${name}`)]) {
        health.setStatus(name, 'NOT_SERVING');
      }
    },
  };
}
