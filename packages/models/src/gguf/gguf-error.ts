import { CommonweightError } from '@commonweight/protocol';

export type GgufErrorCode =
  | 'gguf_magic'
  | 'gguf_version'
  | 'gguf_truncated'
  | 'gguf_limit'
  | 'gguf_string'
  | 'gguf_value_type'
  | 'gguf_duplicate'
  | 'gguf_alignment'
  | 'gguf_tensor_shape'
  | 'gguf_tensor_type'
  | 'gguf_tensor_range'
  | 'gguf_tensor_overlap'
  | 'gguf_metadata'
  | 'gguf_unsupported';

/** The file is not a GGUF file that we can use. `field` names the part, `details.offset` the byte where it stands. */
export class GgufError extends CommonweightError {
  override readonly name = 'GgufError';
  constructor(code: GgufErrorCode, field: string, offset: number | undefined, expected: string, got: string) {
    const where = offset === undefined ? '' : ` at byte ${offset}`;
    super(`GGUF ${field}${where}: expected ${expected}, got ${got}`, {
      code,
      field,
      details: offset === undefined ? { expected } : { expected, offset },
    });
  }
}
