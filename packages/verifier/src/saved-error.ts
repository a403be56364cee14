import { CommonweightError, type ErrorOptions } from '@commonweight/protocol';

/** A saved file that cannot be checked as it is: the message says what it lacks. Nothing is said about the node. */
export class SavedError extends CommonweightError {
  override readonly name = 'SavedError';
  constructor(
    message: string,
    options: Omit<ErrorOptions, 'code'> & {
      readonly code: 'saved-format' | 'saved-size' | 'saved-cut' | 'saved-no-receipt' | 'saved-error-body';
    },
  ) {
    super(message, options);
  }
}
