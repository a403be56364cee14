import { type Address, CommonweightError, ZERO_ADDRESS, isAddress } from '@commonweight/protocol';
import * as z from 'zod';
import { gatewayLimits as limits } from '../limits.ts';
import { readSmallFile } from '../platform/files.ts';

const price = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/, 'expected a decimal integer as text');
const path = z.string().min(1).max(4096);
const loopbackHosts = ['127.0.0.1', '::1', 'localhost'] as const;

const schema = z.strictObject({
  role: z.literal('gateway'),
  dataDir: path,
  /** Folders of model packages: manifest, card, tokenizer and template are read, weights are not. */
  packages: z.array(path).min(1).max(limits.packages),
  listen: z.strictObject({
    host: z.enum(
      loopbackHosts,
      'expected a loopback address: off loopback a key is required, and keys do not exist yet; put a proxy that checks keys before it',
    ),
    port: z.int().min(0).max(65_535),
  }),
  chain: z.strictObject({ rpcUrl: z.url({ protocol: /^https?$/ }), deploymentsFile: path }),
  payerKeyFile: path,
  /** Highest prices that requests are signed for, smallest unit per million tokens. */
  maxPromptPrice: price.default('0'),
  maxCompletionPrice: price.default('0'),
  /** The asset that these are in; without one, only free nodes are asked. */
  asset: z.custom<Address>(isAddress, 'expected an address in lower case').default(ZERO_ADDRESS),
  /** Who pays the nodes that ask for money. Amounts in the asset's smallest unit. */
  payments: z
    .discriminatedUnion('mode', [
      /** Nobody: such nodes answer 402, and others are asked. */
      z.strictObject({ mode: z.literal('none') }),
      /** This gateway, with the money of `payerKeyFile`'s account. */
      z.strictObject({
        mode: z.literal('wallet'),
        maxPerRequest: price,
        /** A UTC day. */
        maxPerDay: price,
        /** Uncharged money in one channel. */
        maxDeposit: price,
        depositStep: price,
      }),
      /** Each client for its own requests: a node's 402 is passed on to it, and its payment to the node. */
      z.strictObject({ mode: z.literal('client') }),
    ])
    .default({ mode: 'none' }),
  /** Dial nodes on this machine: for development networks only. */
  allowLoopback: z.boolean().default(false),
  /** Host names (without port) beside the loopback ones under which a proxy in front is reached. */
  allowedHosts: z.array(z.string().min(1).max(255)).max(limits.allowedHosts).default([]),
});

/** Configuration of a gateway as its file has it; defaults may be left out. */
export type GatewayConfigInput = z.input<typeof schema>;
export type GatewayConfig = z.output<typeof schema>;

/** Throws CommonweightError `config` that names the first wrong field. */
export function parseGatewayConfig(value: unknown): GatewayConfig {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.join('.') || 'configuration';
  throw new CommonweightError(`${field}: ${issue.message}`, { code: 'config', field });
}

export async function readGatewayConfig(file: string): Promise<GatewayConfig> {
  const text = (await readSmallFile(file, limits.configBytes)).toString('utf8');
  try {
    return parseGatewayConfig(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommonweightError(`${file}: expected JSON (${cause.message})`, { code: 'config', cause });
  }
}
