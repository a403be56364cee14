import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Address, type Hex32, toHex, uintBE } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { recoverSigner } from '../signature.ts';
import { encodeFrame, parseFrame } from '../worker-wire.ts';
import { encodeHeader } from './base64-json.ts';
import { channelIdOf, voucherDigest } from './channel.ts';
import { parsePaymentSignature } from './payment.ts';
import { paymentPayload } from './payment-payload.ts';
import { type PaymentOffer, encodePaymentRequired, parsePaymentRequired } from './requirements.ts';
import { type PaymentResponse, encodePaymentResponse, parsePaymentResponse } from './response.ts';

const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../conformance/protocol/${name}`, import.meta.url), 'utf8'));

const lowerCase = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? each.toLowerCase() : each)));

interface Case {
  readonly name: string;
  readonly header: string;
  readonly payment: Readonly<Record<string, unknown>>;
  readonly voucherDigest?: Hex32;
  readonly signer?: Address;
}

describe('PAYMENT-SIGNATURE', () => {
  const { payer, cases, required } = vectors('payments.json') as { payer: Address; cases: Case[]; required: string };

  for (const { name, header, payment, ...signed } of cases) {
    it(`reads what the stock client signs: ${name}`, () => {
      const read = parsePaymentSignature(header);
      expect(JSON.parse(JSON.stringify(read, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))).toEqual(payment);
      expect(read.from).toBe(payer);
      if (read.scheme !== 'batch-settlement') return;
      expect(channelIdOf(read.config, read.chainId)).toBe(read.channel);
      const digest = voucherDigest({ channelId: read.channel, maxClaimableAmount: read.maxClaimableAmount }, read.chainId);
      expect(digest).toBe(signed.voucherDigest);
      expect(recoverSigner(digest, read.signature)).toBe(payer);
    });
  }

  for (const { name, header } of cases) {
    it(`puts what it read in the words of the stock client again, and nothing that stood beside it: ${name}`, () => {
      const { payload, ...rest } = JSON.parse(Buffer.from(header, 'base64').toString()) as { payload: Record<string, unknown> };
      const foreign = {
        authorization: {},
        permit2Authorization: {},
        type: payload['type'] ?? 'deposit',
        deposit: payload['deposit'] ?? {},
      };
      const again = paymentPayload(parsePaymentSignature(encodeHeader({ ...rest, payload: { ...foreign, ...payload } })));
      expect(lowerCase(again)).toEqual(lowerCase(payload));
    });
  }

  for (const { name, header, field } of vectors('payments_fail.json') as { name: string; header: string; field: string }[]) {
    it(`refuses ${name}`, () => {
      const refusal = (() => {
        try {
          return parsePaymentSignature(header);
        } catch (error) {
          return error;
        }
      })();
      expect(refusal).toBeInstanceOf(DecodeError);
      expect((refusal as DecodeError).field).toBe(field);
    });
  }

  it('reads the offers of a 402', () => {
    expect(parsePaymentRequired(required)).toMatchObject({
      x402Version: 2,
      accepts: [{ scheme: 'batch-settlement', network: 'eip155:31337', amount: '4321', extra: { withdrawDelay: 900 } }],
    });
  });
});

describe('PAYMENT-REQUIRED', () => {
  const offer: PaymentOffer = {
    scheme: 'exact',
    network: 'eip155:31337',
    amount: '17',
    asset: `0x${'0a'.repeat(20)}` as Address,
    payTo: `0x${'0b'.repeat(20)}` as Address,
    maxTimeoutSeconds: 600,
    extra: { name: 'Test Dollar', version: '1' },
  };
  const required = { x402Version: 2, error: 'why', resource: { url: 'http://127.0.0.1:1/v1/run' }, accepts: [offer] } as const;

  it('reads what it wrote', () => expect(parsePaymentRequired(encodePaymentRequired(required))).toEqual({ ...required, leftOut: 0 }));

  it('leaves out what it does not know, and refuses a list of nothing else', () => {
    const strange = [
      { ...offer, scheme: 'deferred' },
      { ...offer, network: 'solana:devnet' },
    ];
    expect(parsePaymentRequired(encodeHeader({ ...required, accepts: [...strange, offer] }))).toMatchObject({
      accepts: [offer],
      leftOut: strange.length,
    });
    expect(() => parsePaymentRequired(encodeHeader({ ...required, accepts: strange }))).toThrow(/accepts/);
  });

  it('bounds every part', () => {
    const many = Array.from({ length: limits.paymentOffers + 1 }, () => offer);
    expect(() => parsePaymentRequired(encodeHeader({ ...required, accepts: many }))).toThrow(/array of at most 8/);
    expect(() => parsePaymentRequired(encodeHeader({ ...required, error: 'x'.repeat(513) }))).toThrow(/error/);
    expect(() => parsePaymentRequired(encodeHeader({ ...required, accepts: [{ ...offer, extra: { pad: 'x'.repeat(6200) } }] }))).toThrow(
      /at most 8192 characters/,
    );
    for (const amount of ['-1', '1.5', '0x1', 17, String(2n ** 256n)])
      expect(() => parsePaymentRequired(encodeHeader({ ...required, accepts: [{ ...offer, amount }] }))).toThrow(/amount/);
  });
});

describe('PAYMENT-RESPONSE', () => {
  const settled: PaymentResponse = {
    success: true,
    transaction: toHex(uintBE(7, 32)),
    network: 'eip155:31337',
    payer: `0x${'0c'.repeat(20)}`,
    amount: '12',
    extra: { chargedAmount: '12' },
  };

  it('reads what it wrote, and travels in the receipt frame', () => {
    const header = encodePaymentResponse(settled);
    expect(parsePaymentResponse(header)).toEqual(settled);
    const { receipt } = vectors('receipt.json') as { receipt: unknown };
    const frame = parseFrame({ type: 'receipt', receipt, signature: `0x${'00'.repeat(65)}`, digests: '', settlement: header });
    expect(frame).toMatchObject({ settlement: header });
    expect(parseFrame(JSON.parse(encodeFrame(frame)))).toEqual(frame);
    expect(() => parseFrame({ ...frame, receipt, digests: '', settlement: 'x'.repeat(8193) })).toThrow(/settlement/);
  });

  it('refuses what is no settlement', () => {
    for (const change of [{ success: 'yes' }, { transaction: '0x12' }, { network: 1 }, { extra: [] }, { amount: 5 }])
      expect(() => parsePaymentResponse(encodeHeader({ ...settled, ...change }))).toThrow(DecodeError);
  });
});
