import { addressOfKey } from '@commonweight/protocol';
import {
  BATCH_SETTLEMENT,
  ERC3009_COLLECTOR,
  Submitter,
  batchSettlementAbi,
  connectRpc,
  generateKey,
  installDevContracts,
  startDevChain,
} from '@commonweight/chain';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hex, encodeAbiParameters, encodeFunctionData, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const escrowDomain = { name: 'x402 Batch Settlement', version: '1', verifyingContract: BATCH_SETTLEMENT } as const;
const DEPOSIT = 1_000_000n;

/**
 * Gas of one transaction that claims `channels` channels of as many payers, divided by their number; calldata and the transaction itself included. Measured on a
 * development chain of its own: each channel has been claimed from before, as in the life of a node.
 */
export async function claimPerChannel(channels: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-gas-'));
  const chain = await startDevChain({ dataDir: folder });
  try {
    const { rpcUrl, chainId, devAccount } = chain;
    const { testDollar, fundDollars } = await installDevContracts({ rpcUrl, chainId, privateKey: devAccount.privateKey });
    const submitter = new Submitter({ rpc: connectRpc(rpcUrl, chainId), privateKey: devAccount.privateKey });
    const send = (functionName: 'deposit' | 'claim', args: readonly unknown[]) =>
      submitter.send({ to: BATCH_SETTLEMENT, data: encodeFunctionData({ abi: batchSettlementAbi, functionName, args } as never) });

    const open = async (index: number) => {
      const key = generateKey();
      const account = privateKeyToAccount(key);
      const payer = addressOfKey(key);
      await fundDollars(payer, DEPOSIT);
      const config = {
        payer,
        payerAuthorizer: payer,
        receiver: `0x${'5b'.repeat(20)}`,
        receiverAuthorizer: devAccount.address,
        token: testDollar,
        withdrawDelay: 900,
        salt: `0x${index.toString(16).padStart(64, '0')}`,
      } as const;
      const channelId = await submitter.rpc.client.readContract({
        address: BATCH_SETTLEMENT,
        abi: batchSettlementAbi,
        functionName: 'getChannelId',
        args: [config],
      });
      const nonce = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [channelId, 0n]));
      const times = { validAfter: 0n, validBefore: 1n << 40n };
      const authorization = await account.signTypedData({
        domain: { name: 'Test Dollar', version: '1', chainId, verifyingContract: testDollar },
        types: {
          ReceiveWithAuthorization: [
            { name: 'from', type: 'address' },
            { name: 'to', type: 'address' },
            { name: 'value', type: 'uint256' },
            { name: 'validAfter', type: 'uint256' },
            { name: 'validBefore', type: 'uint256' },
            { name: 'nonce', type: 'bytes32' },
          ],
        },
        primaryType: 'ReceiveWithAuthorization',
        message: { from: payer, to: ERC3009_COLLECTOR, value: DEPOSIT, ...times, nonce },
      });
      const data = encodeAbiParameters(
        [{ type: 'uint256' }, { type: 'uint256' }, { type: 'uint256' }, { type: 'bytes' }],
        [times.validAfter, times.validBefore, 0n, authorization],
      );
      await send('deposit', [config, DEPOSIT, ERC3009_COLLECTOR, data]);
      return async (totalClaimed: bigint) => ({
        voucher: { channel: config, maxClaimableAmount: totalClaimed },
        signature: await account.signTypedData({
          domain: { ...escrowDomain, chainId },
          types: {
            Voucher: [
              { name: 'channelId', type: 'bytes32' },
              { name: 'maxClaimableAmount', type: 'uint128' },
            ],
          },
          primaryType: 'Voucher',
          message: { channelId, maxClaimableAmount: totalClaimed },
        }),
        totalClaimed,
      });
    };

    const vouchers: ((total: bigint) => Promise<{ signature: Hex }>)[] = [];
    for (let index = 0; index < channels; index++) vouchers.push(await open(index));
    const claimAll = async (total: bigint) => send('claim', [await Promise.all(vouchers.map((voucher) => voucher(total)))]);
    await claimAll(123_456n);
    const { gasUsed } = await claimAll(345_678n);
    return Math.round(Number(gasUsed) / channels);
  } finally {
    await chain.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
