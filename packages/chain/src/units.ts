import { DecodeError } from '@commonweight/protocol';

/** Decimals of our token and of ether. */
export const ETHER = 18;

const AMOUNT = /^(?:0|[1-9]\d{0,77})(?:\.(\d{1,36}))?$/u;

/** Units of an amount as people write it: `1.5` with 6 decimals is 1,500,000. Never rounds. */
export function parseAmount(text: string, decimals: number, field = 'amount'): bigint {
  const fraction = AMOUNT.exec(text)?.[1] ?? '';
  if (!AMOUNT.test(text) || fraction.length > decimals)
    throw new DecodeError(field, `a decimal number such as 12.5, with at most ${decimals} places`, text);
  return BigInt(text.replace('.', '') + '0'.repeat(decimals - fraction.length));
}

/** The other way round, without trailing zeros. */
export function formatAmount(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/u, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
