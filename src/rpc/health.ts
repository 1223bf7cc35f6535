import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Vitals } from '../state/upkeep/vitals.js';
import { packageName, serviceNames } from './services.js';

/** Services that work as long as something can be read. */
const readOnly = new Set<string>(['SystemService']);
/** Services that bring files, and need room for them. */
const bringFiles = new Set<string>(['ArtifactService', 'CorpusService', 'CrashService']);

/**
 * grpc.health.v1, per service and, under the empty name, for the whole: SERVING
 * while what the service needs is well.
 */
export function addHealth(server: Server, vitals: Vitals): { stop(): void } {
  const health = new HealthImplementation();
  const tell = () => {
    const { writes, room } = vitals;
    for (const name of serviceNames) {
      const needsWrites = !readOnly.has(name);
      const serves = (writes || !needsWrites) && (room || !bringFiles.has(name));
      health.setStatus(`${packageName}.${name}`, serves ? 'SERVING' : 'NOT_SERVING');
    }
    health.setStatus('', writes && room ? 'SERVING' : 'NOT_SERVING');
  };
  tell();
  vitals.onChange(tell);
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
