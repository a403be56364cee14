import { CommonweightError } from '@commonweight/protocol';

/** A place that the model could not be had from. The next place is tried; errors of any other class end the search. */
export class SourceError extends CommonweightError {
  override readonly name = 'SourceError';
  constructor(source: string, reason: string, cause?: unknown) {
    super(`${source}: ${reason}`, {
      code: 'source_unavailable',
      action: 'retry',
      field: source,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
