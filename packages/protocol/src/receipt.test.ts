import { describe, expect, it } from 'vitest';
import { hashTypedData, recoverAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex, Hex32 } from './bytes.ts';
import { checkpointDigest } from './checkpoint.ts';
import {
  type Receipt,
  RECEIPT_TYPE,
  endDigest,
  finishReasons,
  isSignedBy,
  parseReceipt,
  receiptAmount,
  receiptDigest,
  receiptToJson,
} from './receipt.ts';
import { type CanonicalRequest, REQUEST_TYPE, REQUEST_VERSION, requestDigest, requestHashOf } from './request.ts';
import { samplerSettings } from './sampler-settings.ts';
import { addressOfKey, recoverSigner, signDigest } from './signature.ts';

const key = `0x${'4c'.repeat(32)}` as Hex32;
const hex32 = (byte: string): Hex32 => `0x${byte.repeat(32)}` as Hex32;
const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;
const domain = { chainId: 31_337, verifyingContract: address('c0') };

const receipt: Receipt = {
  node: address('01'),
  payer: address('02'),
  modelId: hex32('03'),
  requestHash: hex32('04'),
  idsRoot: hex32('05'),
  thinRoot: hex32('06'),
  promptTokens: 37,
  completionTokens: 8,
  finishReason: 'stop_id',
  promptPrice: 12n,
  completionPrice: 10n ** 18n,
  asset: address('07'),
  cumulativeAmount: (1n << 256n) - 1n,
  channel: hex32('08'),
  batch: 9,
  sequence: 10,
  previous: hex32('0b'),
  issuedAt: 1_790_000_000,
};

const request: CanonicalRequest = {
  version: REQUEST_VERSION,
  modelId: hex32('03'),
  promptRoot: hex32('21'),
  promptTokens: 37,
  sampler: samplerSettings(),
  seed: `0x${'22'.repeat(16)}`,
  choice: 0,
  stopIds: [],
  maxTokens: 8,
  node: address('01'),
  payer: address('02'),
  channel: hex32('08'),
  asset: address('07'),
  promptPrice: '12',
  completionPrice: '5',
  cumulativeLimit: '77',
  auditConsent: hex32('23'),
};

/** The types as viem wants them, derived from the one type string. */
function typesOf(type: string): Record<string, { name: string; type: string }[]> {
  const [, name, fields] = /^(\w+)\((.*)\)$/.exec(type)!;
  return {
    [name!]: fields!.split(',').map((field) => {
      const [fieldType, fieldName] = field.split(' ');
      return { name: fieldName!, type: fieldType! };
    }),
  };
}
const viemDomain = { name: 'Commonweight', version: '1', chainId: domain.chainId, verifyingContract: domain.verifyingContract } as const;

describe('EIP-712 against viem', () => {
  it('hashes a receipt to the same digest', () => {
    const expected = hashTypedData({
      domain: viemDomain,
      types: typesOf(RECEIPT_TYPE),
      primaryType: 'Receipt',
      message: { ...receipt, finishReason: finishReasons[receipt.finishReason], batch: 9n, sequence: 10n, issuedAt: 1_790_000_000n },
    });
    expect(receiptDigest(receipt, domain)).toBe(expected);
  });

  it('hashes requests, ends and checkpoints to the same digests', () => {
    const checkpoint = { requestHash: hex32('aa'), completionTokens: 16, head: hex32('bb') };
    expect(checkpointDigest(checkpoint, domain)).toBe(
      hashTypedData({
        domain: viemDomain,
        types: typesOf('Checkpoint(bytes32 requestHash,uint32 completionTokens,bytes32 head)'),
        primaryType: 'Checkpoint',
        message: checkpoint,
      }),
    );
    const { payer, node, modelId, asset, channel } = request;
    expect(requestDigest(request, domain)).toBe(
      hashTypedData({
        domain: viemDomain,
        types: typesOf(REQUEST_TYPE),
        primaryType: 'Request',
        message: { requestHash: requestHashOf(request), payer, node, modelId, asset, channel, cumulativeLimit: 77n },
      }),
    );
    expect(endDigest({ requestHash: hex32('aa'), completionTokens: 5, reason: 'cancelled' }, domain)).toBe(
      hashTypedData({
        domain: viemDomain,
        types: typesOf('End(bytes32 requestHash,uint32 completionTokens,uint8 finishReason)'),
        primaryType: 'End',
        message: { requestHash: hex32('aa'), completionTokens: 5, finishReason: 3 },
      }),
    );
  });

  it('signs and recovers as viem does', async () => {
    const digest = receiptDigest(receipt, domain);
    const signature = signDigest(digest, key);
    expect(addressOfKey(key)).toBe(privateKeyToAccount(key).address.toLowerCase());
    expect((await recoverAddress({ hash: digest, signature })).toLowerCase()).toBe(addressOfKey(key));
    expect(signature).toBe(await privateKeyToAccount(key).sign({ hash: digest }));
  });
});

describe('signatures', () => {
  const digest = receiptDigest(receipt, domain);
  const signature = signDigest(digest, key);

  it('binds every field of the receipt, the chain and the contract', () => {
    const changed: Receipt[] = Object.keys(receipt).map((name) => {
      const value = receipt[name as keyof Receipt];
      if (name === 'finishReason') return { ...receipt, finishReason: 'length' };
      if (typeof value === 'bigint') return { ...receipt, [name]: value - 1n };
      if (typeof value === 'number') return { ...receipt, [name]: value + 1 };
      return { ...receipt, [name]: `${value.slice(0, -1)}f` };
    });
    expect(changed).toHaveLength(18);
    for (const other of changed) expect(isSignedBy(receiptDigest(other, domain), signature, addressOfKey(key))).toBe(false);
    expect(isSignedBy(receiptDigest(receipt, { ...domain, chainId: 1 }), signature, addressOfKey(key))).toBe(false);
    expect(isSignedBy(receiptDigest(receipt, { ...domain, verifyingContract: address('c1') }), signature, addressOfKey(key))).toBe(false);
    expect(isSignedBy(digest, signature, addressOfKey(key))).toBe(true);
  });

  it('refuses the malleated twin (high s), bad v and short signatures', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = order - BigInt(`0x${signature.slice(66, 130)}`);
    const v = signature.endsWith('1b') ? '1c' : '1b';
    expect(recoverSigner(digest, `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}` as Hex)).toBeUndefined();
    expect(recoverSigner(digest, `${signature.slice(0, 130)}00` as Hex)).toBeUndefined();
    expect(recoverSigner(digest, signature.slice(0, 130) as Hex)).toBeUndefined();
    expect(recoverSigner(digest, '0x')).toBeUndefined();
  });
});

describe('receipt JSON', () => {
  it('parses what it writes', () => {
    expect(parseReceipt(JSON.parse(JSON.stringify(receiptToJson(receipt))))).toEqual(receipt);
  });

  it('refuses an unknown, missing or out-of-range field by name', () => {
    const json = receiptToJson(receipt);
    expect(() => parseReceipt({ ...json, extra: 1 })).toThrow(/receipt\.extra/);
    const { node: _, ...without } = json;
    expect(() => parseReceipt(without)).toThrow(/receipt\.node/);
    for (const [name, value] of [
      ['promptTokens', 0],
      ['sequence', -1],
      ['finishReason', 'done'],
      ['promptPrice', '01'],
      ['promptPrice', String(1n << 256n)],
      ['node', address('AB')],
    ] as const) {
      expect(() => parseReceipt({ ...json, [name]: value })).toThrow(new RegExp(`receipt\\.${name}`));
    }
  });

  it('rounds an amount up once', () => {
    expect(receiptAmount({ promptTokens: 1, completionTokens: 1, promptPrice: 1n, completionPrice: 1n })).toBe(1n);
    expect(receiptAmount({ promptTokens: 500_000, completionTokens: 500_000, promptPrice: 2n, completionPrice: 4n })).toBe(3n);
    expect(receiptAmount({ promptTokens: 9, completionTokens: 9, promptPrice: 0n, completionPrice: 0n })).toBe(0n);
  });
});
