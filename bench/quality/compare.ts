/** Running figures of one quantised model against the float model on the same tokens. */
export interface Figures {
  positions: number;
  predictions: number;
  floatLoss: number;
  loss: number;
  agreements: number;
  divergence: number;
}

export const noFigures = (): Figures => ({ positions: 0, predictions: 0, floatLoss: 0, loss: 0, agreements: 0, divergence: 0 });

export function addFigures(sum: Figures, more: Figures): void {
  for (const key of Object.keys(sum) as (keyof Figures)[]) sum[key] += more[key];
}

/**
 * Adds one position: `logits` times `unit` are the quantised model's, `next` is the id that follows (undefined at the end of a window, which still counts
 * for KL and agreement). KL is KL(float || quantised) in nats.
 */
export function addPosition(
  figures: Figures,
  float: Float32Array,
  logits: Float32Array | Int32Array,
  unit: number,
  next: number | undefined,
): void {
  const f = normaliser(float, 1);
  const q = normaliser(logits, unit);
  let divergence = 0;
  for (let i = 0; i < float.length; i++) {
    const logP = float[i]! - f.log;
    divergence += Math.exp(logP) * (logP - (logits[i]! * unit - q.log));
  }
  figures.positions++;
  figures.divergence += divergence;
  if (f.argmax === q.argmax) figures.agreements++;
  if (next === undefined) return;
  figures.predictions++;
  figures.floatLoss -= float[next]! - f.log;
  figures.loss -= logits[next]! * unit - q.log;
}

/** log(sum(exp(x * scale))) and the lowest index of the maximum. */
function normaliser(x: Float32Array | Int32Array, scale: number): { log: number; argmax: number } {
  let argmax = 0;
  for (let i = 1; i < x.length; i++) if (x[i]! > x[argmax]!) argmax = i;
  const maximum = x[argmax]! * scale;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i]! * scale - maximum);
  return { log: maximum + Math.log(sum), argmax };
}
