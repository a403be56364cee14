import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where this user's programs keep their data, by the custom of each system. */
export function defaultDataFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env['COMMONWEIGHT_DATA']) return resolve(env['COMMONWEIGHT_DATA']);
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'commonweight');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'commonweight');
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'commonweight');
}
