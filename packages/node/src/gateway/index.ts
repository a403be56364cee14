/** The gateway role alone, for a process that should not load the worker. */
export { readGatewayConfig } from './config.ts';
export { startGateway } from './start-gateway.ts';
