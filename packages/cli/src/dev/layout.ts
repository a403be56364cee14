import { join } from 'node:path';

/** Where things lie in a data folder. */
export const layout = (data: string) => ({
  data,
  chain: join(data, 'chain'),
  models: join(data, 'models'),
  downloads: join(data, 'downloads'),
  logs: join(data, 'logs'),
  gateway: join(data, 'gateway'),
  node: (index: number) => join(data, 'nodes', String(index)),
  deployments: join(data, 'deployments.json'),
  /** What the running network tells other commands. */
  network: join(data, 'network.json'),
});

export type Layout = ReturnType<typeof layout>;
