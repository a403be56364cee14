/** What this package takes from its surroundings; a browser and Node >= 20 have it. */
export interface Platform {
  readonly fetch: typeof fetch;
  /** Unix seconds. */
  readonly now: () => number;
  /** Random bytes. */
  readonly random: (bytes: number) => Uint8Array;
}

export const webPlatform: Platform = {
  fetch: (...args) => fetch(...args),
  now: () => Math.floor(Date.now() / 1000),
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
};
