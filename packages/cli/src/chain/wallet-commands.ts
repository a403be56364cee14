import { type Asset, type WalletClient, connectWallet, formatAmount, generateKey, parseAmount } from '@commonweight/chain';
import { type Address, addressOfKey } from '@commonweight/protocol';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../fault.ts';
import type { Output } from '../output.ts';
import { parseAddress } from './parse-address.ts';
import { type SignerOptions, readSigner, walletFile } from './signer.ts';
import { type Target, findTarget } from './target.ts';

/** What the sub-commands of `wallet` do. */
export interface WalletCommands {
  readonly create: () => Promise<void>;
  readonly show: () => Promise<void>;
  readonly balance: (holder: string | undefined, asset: string | undefined) => Promise<void>;
  readonly send: (to: string, amount: string, asset: string) => Promise<void>;
  readonly approve: (amount: string, asset: string) => Promise<void>;
}

/** What ERC-20 tokens take for "without a limit". */
const ALL = (1n << 256n) - 1n;

export function walletCommands(options: SignerOptions, output: Output): WalletCommands {
  const address = async (): Promise<Address> => addressOfKey(await readSigner(options));
  const connect = async (signs: boolean): Promise<{ wallet: WalletClient; target: Target }> => {
    const target = await findTarget(options);
    const privateKey = signs ? await readSigner(options) : undefined;
    return { wallet: await connectWallet({ rpcUrl: target.rpcUrl, chainId: target.deployments.chainId, privateKey }), target };
  };
  return {
    create: async () => {
      const path = options.keyFile ?? walletFile(options);
      if (existsSync(path))
        throw new UsageError(`${path} is there already: a wallet is never overwritten; name another file with --key-file.`);
      const key = generateKey();
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, `${key}\n`, { flag: 'wx', mode: 0o600 });
      output.event('created', { address: addressOfKey(key), file: path });
      output.print(`${addressOfKey(key)}  ${path}`);
    },
    show: async () => {
      const own = await address();
      output.event('wallet', { address: own });
      output.print(own);
    },
    balance: async (text, asset) => {
      const holder = text === undefined ? await address() : parseAddress(text);
      const { wallet, target } = await connect(false);
      const { token, testDollar } = target.deployments;
      const assets: Asset[] = asset === undefined ? ['ether', token, ...(testDollar ? [testDollar] : [])] : [parseAsset(asset, target)];
      for (const one of assets) {
        const [{ symbol, decimals }, units] = await Promise.all([wallet.asset(one), wallet.balance(one, holder)]);
        output.event('balance', { holder, asset: one, symbol, amount: formatAmount(units, decimals) });
        output.print(`${formatAmount(units, decimals)} ${symbol}`);
      }
    },
    send: async (text, amount, name) => {
      const to = parseAddress(text);
      const { wallet, target } = await connect(true);
      const asset = parseAsset(name, target);
      const { symbol, decimals } = await wallet.asset(asset);
      const transaction = await wallet.send(asset, to, parseAmount(amount, decimals));
      output.event('sent', { to, asset, symbol, amount, transaction });
      output.print(`sent ${amount} ${symbol} to ${to} (transaction ${transaction})`);
    },
    approve: async (amount, name) => {
      const { wallet, target } = await connect(true);
      const asset = parseAsset(name, target);
      if (asset === 'ether') throw new UsageError('Permit2 moves tokens, not ether: name a token with --asset.');
      const { symbol, decimals } = await wallet.asset(asset);
      const transaction = await wallet.approvePermit2(asset, amount === 'all' ? ALL : parseAmount(amount, decimals));
      output.event('approved', { asset, symbol, amount, transaction });
      output.print(`Permit2 may move ${amount} ${symbol} of ${wallet.account} (transaction ${transaction})`);
    },
  };
}

function parseAsset(text: string, { deployments }: Target): Asset {
  if (text === 'ether') return 'ether';
  if (text === 'token') return deployments.token;
  if (text !== 'dollar') return parseAddress(text);
  if (deployments.testDollar === undefined)
    throw new UsageError('this chain has no test dollar: name the address of a token, for example USDC, with --asset.');
  return deployments.testDollar;
}
