import { ZERO_HEX32, receiptAmount } from '@commonweight/protocol';
import { type Outcome, failed, passed } from '../outcome.ts';
import type { AskedSubject, Subject } from '../subject.ts';
import { appliesTo } from './chain.ts';

export const checkSignature = (subject: Subject): Outcome => checkSigner(subject, 'receipt', `receipt ${subject.receiptId}`);

/** @param what - kind of the signed statement. @param which - the statement itself. */
export function checkSigner({ bundle, node, signer, chain }: AskedSubject, what: 'receipt' | 'checkpoint', which: string): Outcome {
  if (signer === undefined) return failed(`the signature of the ${what} is malformed (wrong v, or an s in the upper half)`);
  const facts = chain && appliesTo(chain, bundle.domain) ? chain.node : undefined;
  if (!facts?.registered) {
    return {
      ...passed(`${which} is signed by ${signer}; only the chain can say that this key belongs to node ${node}`),
      title: `a signature over the ${what} by ${signer} (whose key it is only the chain can tell)`,
      open: `that ${signer} is the session key of node ${node}: the chain's word on it is not here`,
    };
  }
  return signer === facts.sessionKey
    ? passed(`${which} is signed by ${signer}, the session key of node ${node}`)
    : failed(`signed by ${signer}; the session key of node ${node} was ${facts.sessionKey}: the node did not sign this ${what}`);
}

export function checkAmount({ bundle: { receipt } }: Subject): Outcome {
  const amount = receiptAmount(receipt);
  const { cumulativeAmount, sequence, previous } = receipt;
  const first = sequence === 0;
  if (first !== (previous === ZERO_HEX32)) {
    return failed(first ? `the first receipt names a previous one, ${previous}` : `receipt number ${sequence} names no previous one`);
  }
  if (cumulativeAmount < amount) return failed(`this answer costs ${amount}, the sum over the channel is only ${cumulativeAmount}`);
  if (first && cumulativeAmount !== amount)
    return failed(`the first receipt costs ${amount}, the sum over the channel is ${cumulativeAmount}`);
  return passed(`this answer costs ${amount}; receipt number ${sequence} of this node for this payer`);
}
