import { type Address } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeHeader, encodeHeader } from './base64-json.ts';
import { OpenFields } from './open-fields.ts';

/** x402 header names, lower-case as HTTP libraries give them. */
export const paymentHeaders = { signature: 'payment-signature', required: 'payment-required', response: 'payment-response' } as const;

export const paymentSchemes = ['batch-settlement', 'upto', 'exact'] as const;
export type PaymentScheme = (typeof paymentSchemes)[number];

export const networkOf = (chainId: number): `eip155:${number}` => `eip155:${chainId}`;

/** One way to pay for one request: an entry of x402's `accepts`. */
export interface PaymentOffer {
  readonly scheme: PaymentScheme;
  readonly network: `eip155:${number}`;
  /** The most that this request can cost, in the asset's smallest unit. */
  readonly amount: string;
  readonly asset: Address;
  /** The splitter of the node and the model that were asked. */
  readonly payTo: Address;
  readonly maxTimeoutSeconds: number;
  /** What the scheme needs beside (SPEC section 25): EIP-712 domain of the asset, facilitator, terms of a channel. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** The content of `PAYMENT-REQUIRED`, x402 version 2. */
export interface PaymentRequired {
  readonly x402Version: 2;
  /** Why a payment that came was not taken. */
  readonly error?: string;
  readonly resource: { readonly url: string; readonly description?: string; readonly mimeType?: string };
  readonly accepts: readonly PaymentOffer[];
}

/** A `PAYMENT-REQUIRED` as it was read. */
export interface PaymentRequiredRead extends PaymentRequired {
  /** Offers of schemes or networks that we do not know: not in `accepts`, and never checked. */
  readonly leftOut: number;
}

export const encodePaymentRequired = (required: PaymentRequired): string => encodeHeader(required);

/** Reads a node's or gateway's `PAYMENT-REQUIRED`; offers of schemes or networks that we do not know are left out and counted. */
export function parsePaymentRequired(header: string): PaymentRequiredRead {
  const field = paymentHeaders.required;
  const f = new OpenFields(decodeHeader(header, field), field);
  if (f.raw('x402Version') !== 2) throw new DecodeError(f.name('x402Version'), '2', f.raw('x402Version'));
  const resource = new OpenFields(f.raw('resource'), f.name('resource'));
  const offers = f.array('accepts', limits.paymentOffers);
  const accepts = offers.flatMap((entry, i) => parseOffer(entry, `${f.name('accepts')}[${i}]`));
  if (accepts.length === 0) throw new DecodeError(f.name('accepts'), `an offer of ${paymentSchemes.join(', ')} on an EVM chain`, undefined);
  return {
    x402Version: 2,
    ...(typeof f.raw('error') === 'string' && { error: f.string('error', 512) }),
    resource: { url: resource.string('url', 2048) },
    accepts,
    leftOut: offers.length - accepts.length,
  };
}

function parseOffer(value: unknown, path: string): PaymentOffer[] {
  const f = new OpenFields(value, path);
  const scheme = paymentSchemes.find((known) => known === f.raw('scheme'));
  const network = f.string('network', 64);
  if (!scheme || !/^eip155:[1-9][0-9]{0,15}$/.test(network)) return [];
  const extra = f.raw('extra') ?? {};
  if (typeof extra !== 'object' || Array.isArray(extra)) throw new DecodeError(f.name('extra'), 'an object', extra);
  return [
    {
      scheme,
      network: network as `eip155:${number}`,
      amount: String(f.uint('amount')),
      asset: f.address('asset'),
      payTo: f.address('payTo'),
      maxTimeoutSeconds: f.integer('maxTimeoutSeconds', 1, 86_400 * 365),
      extra: extra as Readonly<Record<string, unknown>>,
    },
  ];
}
