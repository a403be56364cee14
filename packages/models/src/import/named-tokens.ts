/** Ids of the tokens that a chat template writes by name. */
export interface NamedTokens {
  readonly bos_token?: number;
  readonly eos_token?: number;
}

/** Those of a model's tokens that its template asks for: a package does not depend on the others. */
export function namedTokens(
  template: string,
  ids: { readonly bos_token: number | undefined; readonly eos_token: number | undefined },
): NamedTokens {
  const used = (name: keyof NamedTokens): NamedTokens =>
    ids[name] !== undefined && new RegExp(`\\b${name}\\b`).test(template) ? { [name]: ids[name] } : {};
  return { ...used('bos_token'), ...used('eos_token') };
}
