export { nodeSha256 as nativeSha256 } from '@commonweight/protocol/node';
