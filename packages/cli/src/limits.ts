/** Every bound of this package in one place. Times are milliseconds. */
export const limits = {
  /** Worker nodes of one development network: each holds the model in memory. */
  nodes: 16,
  /** Threads of one engine. */
  threads: 64,
  /** First and longest pause before a crashed process is started again; it doubles in between. */
  restartFirst: 250,
  restartLongest: 10_000,
  /** A process that ran this long starts again without a pause history. */
  restartForgiven: 60_000,
  /** Crashes in a row after which a process is given up. */
  restarts: 8,
  /** Crashes in a row before a process was ready for the first time. */
  startAttempts: 2,
  /** From spawning a process to its ready message (weights are read, hashed and self-tested). */
  processReady: 120_000,
  /** From asking a process to end to SIGKILL. */
  processStop: 5_000,
  /** The same for one that is still starting. */
  startStop: 300,
  /** From the gateway's start until it has found every node. */
  discovery: 30_000,
  discoveryPoll: 100,
  /** One HTTP call to our own gateway. */
  httpTimeout: 5_000,
  /** How often `npm start` looks whether npm is still there. */
  parentPoll: 500,
  /** A log file larger than this is renamed at the next start, one older one is kept. */
  logBytes: 16 << 20,
  /** Bytes of a JSON answer from our own gateway. */
  answerBytes: 64 << 20,
  /** Bytes of a file given to `verify` or `replay`. */
  inputBytes: 128 << 20,
  /** Bytes of our own small files (network.json, lock). */
  stateBytes: 1 << 20,
  /** Least time between two plain progress lines. */
  progressLine: 3_000,
} as const;
