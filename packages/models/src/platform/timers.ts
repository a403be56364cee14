/** Bounds on waiting for other programs and hosts. Nothing that is computed depends on them. */

/** Calls `act` once after a while; returns what cancels it. */
export function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds);
  return () => clearTimeout(timer);
}

/** Calls `act` again and again; returns what ends it. */
export function every(milliseconds: number, act: () => void): () => void {
  const timer = setInterval(act, milliseconds);
  return () => clearInterval(timer);
}
