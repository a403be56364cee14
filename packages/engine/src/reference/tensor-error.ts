import { CommonweightError } from '@commonweight/protocol';

/** Thrown by loaders: the bytes of `tensor` are not what SPEC section 2 allows. The package is damaged or was made by a wrong converter. */
export class TensorError extends CommonweightError {
  override readonly name = 'TensorError';
  constructor(tensor: string, expected: string, got: string) {
    super(`tensor ${tensor}: expected ${expected}, got ${got}; fetch or import the model again`, {
      code: 'tensor',
      action: 'stop',
      field: tensor,
      details: { expected, got },
    });
  }
}
