export { nodeSha256 } from './sha256.node.ts';
