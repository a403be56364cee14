import { type Address, type Domain, type Hex32, type Signature, signDigest, typedDigest, word } from '@commonweight/protocol';

/** Where a session key's agreement counts. */
export interface NodeRegistryDomain {
  readonly chainId: number;
  readonly nodeRegistry: Address;
}

/** EIP-712 digest that a session key signs to agree to serve `operator` (NodeRegistry.sessionKeyDigest). */
export function sessionKeyDigest(operator: Address, { chainId, nodeRegistry }: NodeRegistryDomain): Hex32 {
  const domain: Domain = { chainId, verifyingContract: nodeRegistry };
  return typedDigest(domain, 'SessionKey(address operator)', [word.address(operator)]);
}

export const proveSessionKey = (operator: Address, sessionPrivateKey: Hex32, domain: NodeRegistryDomain): Signature =>
  signDigest(sessionKeyDigest(operator, domain), sessionPrivateKey);
