import { type Address, CommonweightError, ZERO_ADDRESS, isAddress } from '@commonweight/protocol';
import * as z from 'zod';
import { paymentLimits, workerLimits } from '../limits.ts';
import { readSmallFile } from '../platform/files.ts';

/** As wide as the registry's. */
const price = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,38})$/, { error: 'expected a decimal integer as text', abort: true })
  .refine((text) => BigInt(text) < 1n << 128n, 'expected a price below 2^128');
const path = z.string().min(1).max(4096);

const wildcards = ['0.0.0.0', '::'];

const schema = z
  .strictObject({
    role: z.literal('worker'),
    dataDir: path,
    /** Folders of model packages. */
    packages: z.array(path).min(1).max(workerLimits.packages),
    listen: z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(0).max(65_535) }),
    /** URL under which gateways reach this node; default: what it listens on. */
    endpoint: z
      .url({ protocol: /^https?$/ })
      .max(256)
      .optional(),
    chain: z.strictObject({ rpcUrl: z.url({ protocol: /^https?$/ }), deploymentsFile: path }),
    operatorKeyFile: path,
    sessionKeyFile: path,
    /** Smallest unit of the asset per million tokens. */
    promptPrice: price.default('0'),
    completionPrice: price.default('0'),
    asset: z.custom<Address>(isAddress, 'expected an address in lower case').default(ZERO_ADDRESS),
    /** How a node with prices is paid. */
    payments: z
      .strictObject({
        /** Blocks, its own included, after which a payment counts; default 1 on a development chain, 12 elsewhere. */
        confirmations: z.int().min(1).max(paymentLimits.confirmations).optional(),
        /** Between two rounds of claims; a channel with so much unclaimed money, or a payer who withdraws, brings the next one forward. */
        claimIntervalMs: z.int().min(100).max(paymentLimits.claimIntervalMs).default(600_000),
        claimThreshold: price.default('5000000'),
        /** Seconds from a payer's wish to withdraw to the withdrawal. */
        withdrawDelaySeconds: z.int().min(900).max(2_592_000).default(86_400),
      })
      .prefault({}),
    /** What computes: the native engine where it is built, or one of the two. */
    backend: z.enum(['auto', 'wasm', 'native']).default('auto'),
    /** Threads of each model's engine; one a processor by default: set it when several nodes share a machine. */
    threads: z.int().min(1).max(workerLimits.threads).optional(),
    /** Runs that share the engine, each with one token a step. */
    slots: z.int().min(1).max(workerLimits.slotsMaximum).default(workerLimits.slotsDefault),
    /** Bytes of KV cache for the runs of one model and its prefix cache together; for the prefix cache alone (0: none). */
    kvBytes: z.int().min(1).max(workerLimits.kvBytesMaximum).default(workerLimits.kvBytesDefault),
    prefixCacheBytes: z.int().min(0).max(workerLimits.kvBytesMaximum).default(workerLimits.prefixCacheBytesDefault),
    /** Runs that may wait behind those in progress. */
    queueLimit: z.int().min(0).max(workerLimits.queueMaximum).default(workerLimits.queueDefault),
    batchIntervalMs: z.int().min(10).max(workerLimits.batchIntervalMs).default(workerLimits.batchIntervalMs),
  })
  .refine(({ listen, endpoint }) => endpoint !== undefined || !wildcards.includes(listen.host), {
    path: ['endpoint'],
    message: 'expected the URL under which gateways reach a node that listens on every address',
  })
  .refine(({ promptPrice, completionPrice, asset }) => asset !== ZERO_ADDRESS || (promptPrice === '0' && completionPrice === '0'), {
    path: ['asset'],
    message: 'expected the address of the asset that the prices are in; only a free service has none',
  });

/** Configuration of a worker as its file has it; defaults may be left out. */
export type WorkerConfigInput = z.input<typeof schema>;
export type WorkerConfig = z.output<typeof schema>;

/** Throws CommonweightError `config` that names the first wrong field. */
export function parseWorkerConfig(value: unknown): WorkerConfig {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.join('.') || 'configuration';
  throw new CommonweightError(`${field}: ${issue.message}`, { code: 'config', field });
}

export async function readWorkerConfig(file: string): Promise<WorkerConfig> {
  const text = (await readSmallFile(file, workerLimits.configBytes)).toString('utf8');
  try {
    return parseWorkerConfig(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CommonweightError(`${file}: expected JSON (${cause.message})`, { code: 'config', cause });
  }
}
