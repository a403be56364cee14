import type { CanonicalRequest, Receipt } from '@commonweight/protocol';
import type { PaymentDemanded } from '../network/payment-demanded.ts';
import type { Candidate } from '../network/route.ts';
import type { Job } from '../run/job.ts';

/** What a signed request says about money, beside prices and asset. */
export type RequestMoney = Pick<CanonicalRequest, 'channel' | 'cumulativeLimit'>;

/** How the gateway's runs are paid: by nobody, from its own wallet, or by its clients. */
export interface Payments {
  /** Of these candidates the ones that can be asked with this way of paying, best first. @throws ApiError when there is none */
  readonly candidates: (job: Job, candidates: readonly Candidate[]) => Promise<readonly Candidate[]>;
  /**
   * How the next run at this node is paid.
   * @throws ApiError when the payer's own limits forbid it, NodeFailure when the node asks what it may not.
   */
  readonly begin: (job: Job, candidate: Candidate) => Promise<RunPayment>;
}

/** The payment of one run at one node. One of `demanded`, `charged`, `released` and `lost` is called when it is over; what is called after that does nothing. */
export interface RunPayment {
  readonly money: RequestMoney;
  /** Value of `PAYMENT-SIGNATURE`. */
  readonly header: string | undefined;
  /** The node has begun to answer. */
  readonly accepted: () => void;
  /**
   * The node answered 402 instead.
   * @returns whether the same node is worth another try.
   * @throws ApiError when the demand is for the client, NodeFailure when the node asks what it may not.
   */
  readonly demanded: (demand: PaymentDemanded) => Promise<boolean>;
  /**
   * The receipt was accepted.
   * @param settlement - what the node says that it took, as `PAYMENT-RESPONSE`.
   * @returns what of it is for the client.
   * @throws ReceiptInvalid when it took more.
   */
  readonly charged: (receipt: Receipt, settlement: string | undefined) => Promise<string | undefined>;
  /** The node refused before it began, or gave up: there will be no receipt. */
  readonly released: () => Promise<void>;
  /** Nobody knows what the node has taken. */
  readonly lost: () => Promise<void>;
}

const ends = ['demanded', 'charged', 'released', 'lost'] as const;
type Ends = Pick<RunPayment, (typeof ends)[number]>;

/** A payment that does nothing unless `how` says so, and ends once. */
export function runPayment(money: RequestMoney, how: Partial<RunPayment> = {}): RunPayment {
  let over = false;
  const once =
    <A extends unknown[], R>(otherwise: R, end?: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (over || !end) return otherwise;
      over = true;
      return end(...args);
    };
  const guarded: Ends = {
    demanded: once(false, how.demanded),
    charged: once<[Receipt, string | undefined], string | undefined>(undefined, how.charged),
    released: once<[], void>(undefined, how.released),
    lost: once<[], void>(undefined, how.lost),
  };
  return { money, header: how.header, accepted: how.accepted ?? (() => undefined), ...guarded };
}
