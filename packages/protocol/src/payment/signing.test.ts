import { readFileSync } from 'node:fs';
import { encodeAbiParameters, getAddress, hashTypedData, keccak256, parseAbiParameters } from 'viem';
import { describe, expect, test } from 'vitest';
import { type Address, type Hex32, toHex, utf8 } from '../bytes.ts';
import { sha256 } from '../sha256.ts';
import { recoverSigner } from '../signature.ts';
import { depositNonce, receiveAuthorizationDigest, transferAuthorizationDigest } from './authorization.ts';
import { voucherDigest } from './channel.ts';
import { DEPOSIT_COLLECTOR, PERMIT2, UPTO_PROXY } from './contracts.ts';
import { parsePaymentSignature } from './payment.ts';
import { uptoPermitDigest } from './permit2.ts';

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
const address = (text: string): Address => hash(text).slice(0, 42) as Address;
const chainId = 31_337;
const fields = (text: string) =>
  text.split(', ').map((field) => {
    const [type, name] = field.split(' ');
    return { type: type!, name: name! };
  });

describe('what payers sign, against viem', () => {
  test('the nonce of a deposit', () => {
    const [channelId, salt] = [hash('channel'), hash('salt')];
    expect(depositNonce(channelId, salt)).toBe(
      keccak256(encodeAbiParameters(parseAbiParameters('bytes32, uint256'), [channelId, BigInt(salt)])),
    );
  });

  test('authorizations of EIP-3009', () => {
    const token = { name: 'Test Dollar', version: '1', chainId, verifyingContract: address('token') };
    const authorization = {
      from: address('payer'),
      to: address('splitter'),
      value: 5n,
      validAfter: 1n,
      validBefore: 2n,
      nonce: hash('nonce'),
    };
    const list = fields('address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce');
    for (const [primaryType, digest] of [
      ['TransferWithAuthorization', transferAuthorizationDigest(authorization, token)],
      ['ReceiveWithAuthorization', receiveAuthorizationDigest(authorization, token)],
    ] as const) {
      expect(digest).toBe(hashTypedData({ domain: token, types: { [primaryType]: list }, primaryType, message: authorization }));
    }
  });

  test('the permit of upto', () => {
    const permit = {
      token: address('token'),
      amount: 50_000n,
      nonce: BigInt(hash('nonce')),
      deadline: 1_800_000_000n,
      to: address('splitter'),
      facilitator: address('node'),
      validAfter: 0n,
    };
    expect(uptoPermitDigest(permit, chainId)).toBe(
      hashTypedData({
        domain: { name: 'Permit2', chainId, verifyingContract: getAddress(PERMIT2) },
        types: {
          PermitWitnessTransferFrom: fields(
            'TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline, Witness witness',
          ),
          TokenPermissions: fields('address token, uint256 amount'),
          Witness: fields('address to, address facilitator, uint256 validAfter'),
        },
        primaryType: 'PermitWitnessTransferFrom',
        message: {
          permitted: { token: permit.token, amount: permit.amount },
          spender: getAddress(UPTO_PROXY),
          nonce: permit.nonce,
          deadline: permit.deadline,
          witness: { to: permit.to, facilitator: permit.facilitator, validAfter: 0n },
        },
      }),
    );
  });
});

test("every signature of a stock client is its payer's over these digests", () => {
  const file = new URL('../../../../conformance/protocol/payments.json', import.meta.url);
  const { payer, cases } = JSON.parse(readFileSync(file, 'utf8')) as { payer: Address; cases: { name: string; header: string }[] };
  expect(cases.length).toBeGreaterThan(2);
  for (const { name, header } of cases) {
    const payment = parsePaymentSignature(header);
    const { chainId, asset, payTo, from, amount: value } = payment;
    const token = { name: 'Test Dollar', version: '1', chainId, verifyingContract: asset };
    const signers: (string | undefined)[] = [];
    if (payment.scheme === 'exact')
      signers.push(recoverSigner(transferAuthorizationDigest({ ...payment, to: payTo, value }, token), payment.signature));
    else if (payment.scheme === 'upto') {
      const { nonce, deadline, facilitator } = payment;
      const permit = { token: asset, amount: value, nonce, deadline, to: payTo, facilitator, validAfter: 0n };
      signers.push(recoverSigner(uptoPermitDigest(permit, chainId), payment.signature));
    } else {
      const { channel, maxClaimableAmount, deposit } = payment;
      signers.push(recoverSigner(voucherDigest({ channelId: channel, maxClaimableAmount }, chainId), payment.signature));
      if (deposit) {
        const authorization = {
          from,
          to: DEPOSIT_COLLECTOR,
          value: deposit.amount,
          ...deposit,
          nonce: depositNonce(channel, deposit.salt),
        };
        signers.push(recoverSigner(receiveAuthorizationDigest(authorization, token), deposit.signature));
      }
    }
    expect([name, ...signers]).toEqual([name, ...signers.map(() => payer)]);
  }
});
