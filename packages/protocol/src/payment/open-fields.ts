import { type Address, type Hex, type Hex32 } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { Fields } from '../read.ts';

/** Like {@link Fields} for JSON of other people's making: fields that we do not know are passed over, hex digits may be in upper case (EIP-55). */
export class OpenFields extends Fields {
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError(path, 'an object', value);
    super(
      value,
      path,
      Object.keys(value).map((key) => `${key.replaceAll('?', '')}?`),
    );
  }

  override address(key: string): Address {
    return this.#lower(key, 20);
  }

  override hex32(key: string): Hex32 {
    return this.#lower(key, 32);
  }

  /** 1 to `maximum` bytes. */
  bytes(key: string, maximum: number): Hex {
    return this.string(key, 2 + 2 * maximum, /^0x(?:[0-9a-fA-F]{2})+$/).toLowerCase() as Hex;
  }

  object(key: string): OpenFields {
    return new OpenFields(this.raw(key), this.name(key));
  }

  #lower(key: string, bytes: number): Hex {
    const value = this.raw(key);
    if (typeof value !== 'string' || value.length !== 2 + 2 * bytes || !/^0x[0-9a-fA-F]+$/.test(value)) {
      throw new DecodeError(this.name(key), `0x and ${2 * bytes} hexadecimal digits`, value);
    }
    return value.toLowerCase() as Hex;
  }
}
