export { main } from './main.ts';
export { exitCode } from './exit-code.ts';
