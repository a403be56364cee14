import { PERMIT2, Submitter, connectRpc, generateKey, testDollarAbi } from '@commonweight/chain';
import {
  type Address,
  type ChannelConfig,
  type Hex32,
  type ModelId,
  type PaymentOffer,
  type RunRequest,
  ZERO_HEX32,
  addressOfKey,
  parsePaymentRequired,
  parsePaymentSignature,
  paymentHeaders,
  signChannelPayment,
  signExactPayment,
  signUptoPayment,
  toHex,
  uintBE,
} from '@commonweight/protocol';
import { encodeFunctionData } from 'viem';
import type { DevNetwork } from '../../worker/testing/dev-network.ts';
import { ask } from '../../worker/testing/payer.ts';
import { post } from './stock-payer.ts';

/** A signed request with its payment: may be sent as often as one likes. */
export interface PaidAsk {
  readonly scheme: PaymentOffer['scheme'];
  readonly run: RunRequest;
  readonly header: string;
  readonly maximum: bigint;
}

export interface Sold {
  readonly url: string;
  readonly node: Address;
  readonly modelId: ModelId;
  /** Prices of the node, per million tokens. */
  readonly promptPrice: string;
  readonly completionPrice: string;
}

/** One who pays with his own key, with as many runs side by side as he likes: his vouchers add up the maxima of all runs that he ever asked for. */
export class KeyPayer {
  readonly address: Address;
  readonly #key: Hex32;
  readonly #network: DevNetwork;
  readonly #sold: Sold;
  readonly #offers: readonly PaymentOffer[];
  #nonce: number;
  #signed = 0n;

  private constructor(network: DevNetwork, sold: Sold, key: Hex32, offers: readonly PaymentOffer[], firstNonce: number) {
    this.#network = network;
    this.#sold = sold;
    this.#key = key;
    this.address = addressOfKey(key);
    this.#offers = offers;
    this.#nonce = firstNonce;
  }

  /** A new key with a million test dollars that has approved Permit2 and knows the node's offers. */
  static async create(network: DevNetwork, sold: Sold): Promise<KeyPayer> {
    const key = generateKey();
    const { dev, chain } = network;
    await dev.fund(addressOfKey(key), 10n ** 18n);
    await network.fundDollars(addressOfKey(key), 10n ** 12n);
    const data = encodeFunctionData({ abi: testDollarAbi, functionName: 'approve', args: [PERMIT2, 2n ** 256n - 1n] });
    await new Submitter({ rpc: connectRpc(dev.rpcUrl, dev.chainId), privateKey: key }).send({ to: chain.deployments.testDollar!, data });
    const quote = ask({
      domain: chain.domain,
      node: sold.node,
      modelId: sold.modelId,
      key,
      change: { promptPrice: sold.promptPrice, completionPrice: sold.completionPrice },
    });
    const answer = await post(sold.url, quote);
    await answer.text();
    return new KeyPayer(network, sold, key, parsePaymentRequired(answer.headers.get(paymentHeaders.required)!).accepts, 0);
  }

  /** A single payment for a run of at most `maxTokens`. */
  single(scheme: 'exact' | 'upto', maxTokens: number): PaidAsk {
    const offer = this.#offer(scheme, maxTokens);
    const parts = { nonce: this.#unique(), validBefore: nowSeconds() + 3600 };
    return this.#ask(
      offer,
      maxTokens,
      scheme === 'exact' ? signExactPayment(offer, parts, this.#key) : signUptoPayment(offer, parts, this.#key),
    );
  }

  /** A voucher for a run of at most `maxTokens`; with `deposit`, so much goes into the channel. */
  voucher(maxTokens: number, deposit?: bigint): PaidAsk {
    const offer = this.#offer('batch-settlement', maxTokens);
    const config: ChannelConfig = {
      payer: this.address,
      payerAuthorizer: this.address,
      receiver: offer.payTo,
      receiverAuthorizer: offer.extra['receiverAuthorizer'] as Address,
      token: offer.asset,
      withdrawDelay: offer.extra['withdrawDelay'] as number,
      salt: ZERO_HEX32,
    };
    this.#signed += BigInt(offer.amount);
    const parts = { config, voucher: this.#signed };
    const header =
      deposit === undefined ? parts : { ...parts, deposit: { amount: deposit, salt: this.#unique(), validBefore: nowSeconds() + 3600 } };
    return this.#ask(offer, maxTokens, signChannelPayment(offer, header, this.#key));
  }

  #offer(scheme: PaymentOffer['scheme'], maxTokens: number): PaymentOffer {
    const { promptPrice, completionPrice } = this.#sold;
    const amount = (4n * BigInt(promptPrice) + BigInt(maxTokens) * BigInt(completionPrice) + 999_999n) / 1_000_000n;
    return { ...this.#offers.find((offer) => offer.scheme === scheme)!, amount: String(amount) };
  }

  #unique(): Hex32 {
    return toHex(uintBE((BigInt(this.address) << 64n) + BigInt(this.#nonce++), 32)) as Hex32;
  }

  #ask(offer: PaymentOffer, maxTokens: number, header: string): PaidAsk {
    const { node, modelId, promptPrice, completionPrice } = this.#sold;
    const { channel } = parsePaymentSignature(header);
    const money = { asset: offer.asset, channel, promptPrice, completionPrice, cumulativeLimit: String(10n ** 15n) };
    const run = ask({
      domain: this.#network.chain.domain,
      node,
      modelId,
      key: this.#key,
      nonce: this.#nonce++,
      change: { ...money, maxTokens },
    });
    return { scheme: offer.scheme, run, header, maximum: BigInt(offer.amount) };
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
