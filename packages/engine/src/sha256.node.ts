export { nodeSha256 } from '@commonweight/protocol/node';
