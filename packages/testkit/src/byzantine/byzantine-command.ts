import { fileURLToPath } from 'node:url';
import type { RoleCommand } from '../role-process.ts';
import type { ByzantineStrategy } from './strategies.ts';

/** The built file, also when this source runs unbuilt in a test. */
export const byzantineScript = fileURLToPath(new URL('../../dist/byzantine/byzantine-main.js', import.meta.url));

/** The process of a lying worker: what `spawnRole` takes. `configFile` is a worker's configuration. */
export const byzantineCommand = (strategy: ByzantineStrategy, configFile: string, logFile: string): RoleCommand => ({
  name: strategy,
  args: [byzantineScript, '--strategy', strategy, '--config', configFile],
  logFile,
});
