/** The gateway role alone, for a process that should not load the worker. */
export { readGatewayConfig } from './config.ts';
export { type Withdrawal, withdrawChannels } from './pay/withdraw-channels.ts';
export { startGateway } from './start-gateway.ts';
