import { auditConsentOf, fromHex, idsRoot, recoverSigner, requestDigest, toHex } from '@commonweight/protocol';
import { type Outcome, failed, passed, same } from '../outcome.ts';
import type { AskedSubject, Subject } from '../subject.ts';

/** The receipt is for this request, and the payer ordered it on this chain. */
export function checkRequest({ bundle, requestHash }: Subject): Outcome {
  const { receipt } = bundle;
  if (receipt.requestHash !== requestHash) return failed(`the request hashes to ${requestHash}, the receipt is for ${receipt.requestHash}`);
  return checkPayer({ bundle, requestHash });
}

/** The payer's signature over the request. */
export function checkPayer({ bundle, requestHash }: Pick<AskedSubject, 'bundle' | 'requestHash'>): Outcome {
  const { request, requestSignature, domain } = bundle;
  const signer = recoverSigner(requestDigest(request, domain), requestSignature);
  if (signer === undefined) return failed('the signature of the request is malformed (wrong v, or an s in the upper half)');
  if (signer !== request.payer) return failed(`the request names the payer ${request.payer} but is signed by ${signer}`);
  return passed(`${requestHash}, signed by the payer ${request.payer}`);
}

/** What the node bills is what the payer signed. */
export function checkTerms({ bundle: { receipt, request } }: Subject): Outcome {
  for (const name of ['promptPrice', 'completionPrice'] as const) {
    if (receipt[name] > BigInt(request[name]))
      return failed(`${name}: the payer agreed to at most ${request[name]}, the receipt says ${receipt[name]}`);
  }
  if (receipt.cumulativeAmount > BigInt(request.cumulativeLimit)) {
    return failed(`the payer agreed to a sum of at most ${request.cumulativeLimit}, the receipt says ${receipt.cumulativeAmount}`);
  }
  const names = ['modelId', 'node', 'payer', 'channel', 'asset'] as const;
  return same(
    names.map((name) => [name, receipt[name], request[name]]),
    'the same model, node, payer, channel and asset; prices and sum at most the agreed ones',
  );
}

export function checkPrompt({ bundle: { promptIds, nonce, request } }: AskedSubject): Outcome {
  const root = toHex(idsRoot(promptIds, fromHex(nonce, 32)));
  if (root !== request.promptRoot)
    return failed(`the prompt ids and the nonce give the root ${root}, the request holds ${request.promptRoot}`);
  if (request.promptTokens !== promptIds.length)
    return failed(`the request says ${request.promptTokens} prompt tokens, the bundle holds ${promptIds.length}`);
  return passed(`${promptIds.length} ids, root ${root}`);
}

export function checkConsent({ bundle: { auditSalt, auditConsent, request } }: AskedSubject): Outcome {
  const commitment = auditConsentOf(auditSalt, auditConsent);
  return commitment === request.auditConsent
    ? passed(`the client ${auditConsent ? 'allows' : 'does not allow'} an audit`)
    : failed(`salt and choice give ${commitment}, the request holds ${request.auditConsent}`);
}
