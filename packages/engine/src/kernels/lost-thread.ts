import { CommonweightError } from '@commonweight/protocol';

/** What a step throws that a thread has left, or does not come to: the executor is of no more use. */
export const lostThread = (): CommonweightError =>
  new CommonweightError('a thread of the engine ended or does not answer; open the model again', {
    code: 'engine-thread',
    action: 'retry',
  });
