import { CommonweightError } from '@commonweight/protocol';

export type SafetensorsErrorCode =
  | 'safetensors_truncated'
  | 'safetensors_limit'
  | 'safetensors_json'
  | 'safetensors_duplicate'
  | 'safetensors_header'
  | 'safetensors_dtype'
  | 'safetensors_shape'
  | 'safetensors_range'
  | 'safetensors_overlap'
  | 'safetensors_index'
  | 'safetensors_config';

/** A folder with safetensors that we cannot use. `field` names file and part, `details.offset` the byte (of JSON: the UTF-16 unit) where it stands. */
export class SafetensorsError extends CommonweightError {
  override readonly name = 'SafetensorsError';
  constructor(code: SafetensorsErrorCode, field: string, offset: number | undefined, expected: string, got: string) {
    super(`${field}${offset === undefined ? '' : ` at ${offset}`}: expected ${expected}, got ${got}`, {
      code,
      field,
      details: offset === undefined ? { expected } : { expected, offset },
    });
  }
}

/** Text from a file, safe to print. */
export const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
