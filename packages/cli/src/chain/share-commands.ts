import type { ModelParent } from '@commonweight/chain';
import { isHex32 } from '@commonweight/protocol';
import { UsageError } from '../fault.ts';
import { type ModelContext, weightsOf } from './model-client.ts';
import { parseAddress } from './parse-address.ts';

const SUPPLY = 1_000_000n;

/** `0x<weights root>:<basis points>` */
function parseParent(text: string): ModelParent {
  const [weightsRoot, part, ...rest] = text.toLowerCase().split(':');
  if (weightsRoot === undefined || !isHex32(weightsRoot) || part === undefined || !/^\d{1,5}$/u.test(part) || rest.length > 0)
    throw new UsageError(`--parent: expected a weights root, a colon and basis points, got ${text}.`);
  return { weightsRoot, part: Number(part) };
}

export async function found({ signer, done }: ModelContext, model: string, parents: readonly string[], royalty: number): Promise<void> {
  const list = parents.map(parseParent);
  const chain = await signer();
  const weightsRoot = await weightsOf(chain, model);
  const changed = await chain.foundShares(weightsRoot, list, royalty);
  done('founded', changed, `${SUPPLY} shares of ${model} belong to ${chain.account}`, { weightsRoot, parents: list, royalty });
}

export async function send({ signer, done }: ModelContext, model: string, to: string, amount: string): Promise<void> {
  if (!/^[1-9]\d{0,6}$/u.test(amount) || BigInt(amount) > SUPPLY)
    throw new UsageError(`expected a number of shares from 1 to ${SUPPLY}, got ${amount}.`);
  const receiver = parseAddress(to);
  const chain = await signer();
  const weightsRoot = await weightsOf(chain, model);
  await chain.sendShares(weightsRoot, receiver, BigInt(amount));
  done('sent', true, `${amount} shares of ${model} sent to ${receiver}`, { weightsRoot, to: receiver, amount });
}

/** Shares and uncollected earnings of an address, by default the signer's. */
export async function show({ reader, signer, output }: ModelContext, model: string, holder: string | undefined): Promise<void> {
  const chain = holder === undefined ? await signer() : await reader();
  const whose = holder === undefined ? chain.account! : parseAddress(holder);
  const weightsRoot = await weightsOf(chain, model);
  const [shares, earnings] = await Promise.all([chain.sharesOf(weightsRoot, whose), chain.shareEarnings(weightsRoot, whose)]);
  const amounts = earnings.map(({ asset, amount }) => ({ asset, amount: String(amount) }));
  output.event('shares', { weightsRoot, holder: whose, shares: String(shares), of: String(SUPPLY), earnings: amounts });
  output.print(`${whose} holds ${shares} of ${SUPPLY} shares`);
  for (const { asset, amount } of amounts) output.print(`  ${amount} units of ${asset} to collect`);
}

export async function collect({ signer, output }: ModelContext, model: string): Promise<void> {
  const chain = await signer();
  const weightsRoot = await weightsOf(chain, model);
  const paid = (await chain.collectShareEarnings(weightsRoot)).map(({ asset, amount }) => ({ asset, amount: String(amount) }));
  output.event('collected', { weightsRoot, paid });
  for (const { asset, amount } of paid) output.print(`${amount} units of ${asset} collected`);
  if (paid.length === 0) output.print('nothing to collect');
}
