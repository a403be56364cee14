import { formatAmount, ETHER } from '@commonweight/chain';
import { join } from 'node:path';
import { describeModel } from '../dev/prepare-model.ts';
import { UsageError } from '../fault.ts';
import { type ModelContext, parseModelId, readManifest, weightsOf } from './model-client.ts';
import { parseAddress } from './parse-address.ts';

const time = (seconds: number): string => new Date(seconds * 1000).toISOString();

export interface PublishOptions {
  readonly manifestUrl: string;
  readonly cardUrl: string;
  readonly prove?: true;
}

/** Publishes a package; with `prove` shows its manifest too. */
export async function publish({ signer, folderOf, done }: ModelContext, model: string, options: PublishOptions): Promise<void> {
  const folder = folderOf(model);
  const { id, name, weightsRoot, cardDigest } = await describeModel(folder);
  const chain = await signer();
  const record = { modelId: id, weightsRoot, cardDigest, manifestPointer: options.manifestUrl, cardPointer: options.cardUrl };
  const changed = await chain.publishModel(record);
  done('published', changed, `${name} ${id} is published over weights ${weightsRoot}`, { id, name, weightsRoot, owner: chain.account });
  if (options.prove) await proveWith(chain, done, folder, id);
}

/** Shows the manifest of a published model. */
export async function prove({ signer, folderOf, done }: ModelContext, model: string): Promise<void> {
  const folder = folderOf(model);
  const { id } = await describeModel(folder);
  await proveWith(await signer(), done, folder, id);
}

async function proveWith(
  chain: Awaited<ReturnType<ModelContext['signer']>>,
  done: ModelContext['done'],
  folder: string,
  id: `0x${string}`,
): Promise<void> {
  const changed = await chain.proveModel(id, readManifest(join(folder, 'manifest.json')));
  done('proven', changed, `the weights of ${id} are proven: their owner is final`, { id });
}

/** Has a false record removed. */
export async function challenge({ signer, output }: ModelContext, model: string, manifest: string): Promise<void> {
  const id = parseModelId(model);
  const chain = await signer();
  await chain.challengeModel(id, readManifest(manifest));
  const credit = formatAmount(await chain.modelCredit(chain.account), ETHER);
  output.event('challenged', { id, credit });
  output.print(`the record of ${id} was false and is gone; ${credit} ether can be withdrawn with commonweight model deposit`);
}

/** Fetches deposits and rewards: of one model, when it is named, and whatever is credited already. */
export async function deposit({ signer, output }: ModelContext, model: string | undefined, to: string | undefined): Promise<void> {
  const chain = await signer();
  if (model !== undefined) await chain.returnModelDeposit(parseModelId(model));
  const receiver = to === undefined ? chain.account : parseAddress(to);
  const amount = formatAmount(await chain.withdrawModelCredit(receiver), ETHER);
  output.event('withdrawn', { amount, to: receiver });
  output.print(`${amount} ether paid to ${receiver}`);
}

/** What the chain says of a model. */
export async function show({ reader, output }: ModelContext, model: string): Promise<void> {
  const id = parseModelId(model);
  const chain = await reader();
  const record = await chain.modelInfo(id);
  if (record === undefined) throw new UsageError(`no model ${id} is published on this chain.`);
  const { owner, weightsRoot, proven, depositor, manifestPointer, cardDigest, cardPointer } = record;
  const shares = await chain.sharesInfo(weightsRoot);
  const held = formatAmount(record.deposit, ETHER);
  const [publishedAt, reclaimableFrom] = [time(record.publishedAt), time(record.reclaimableFrom)];
  output.event('model', {
    id,
    owner,
    weightsRoot,
    proven,
    publishedAt,
    manifestPointer,
    cardDigest,
    cardPointer,
    deposit: { amount: held, depositor, reclaimableFrom },
    shares: shares ?? null,
  });
  output.print(`${id}\n  owner    ${owner}${proven ? '' : ' (not proven)'}\n  weights  ${weightsRoot}\n  since    ${publishedAt}`);
  output.print(`  deposit  ${held} ether of ${depositor}, free from ${reclaimableFrom}`);
  output.print(`  shares   ${shares ? `founded, ${shares.parents.length} parents` : 'none'}`);
}

/** Offers a model's weights, or takes the offer back; the other side accepts. */
export async function transfer({ signer, done }: ModelContext, model: string, to: string | undefined): Promise<void> {
  const chain = await signer();
  const weightsRoot = await weightsOf(chain, model);
  const receiver = to === undefined ? undefined : parseAddress(to);
  await chain.offerWeights(weightsRoot, receiver);
  const sentence =
    receiver === undefined
      ? `the offer of weights ${weightsRoot} is taken back`
      : `weights ${weightsRoot}, with every model over them, are offered to ${receiver}, who takes them with commonweight model accept`;
  done('offered', true, sentence, { weightsRoot, to: receiver ?? null });
}

export async function accept({ signer, done }: ModelContext, model: string): Promise<void> {
  const chain = await signer();
  const weightsRoot = await weightsOf(chain, model);
  await chain.acceptWeights(weightsRoot);
  done('accepted', true, `weights ${weightsRoot} belong to ${chain.account}`, { weightsRoot, owner: chain.account });
}
