/** Stands in place of the logit of an id that the grammar does not allow: logits never have this value (SPEC section 1). */
export const NOT_ALLOWED = -2_147_483_648;

/** What is sampled when nothing is allowed: no id. */
export const NO_ID = -1;
