/** Bounds of the test helpers. */
export const limits = {
  /** Milliseconds in which a role must serve. */
  roleReadyMs: 60_000,
  /** Milliseconds from SIGTERM to SIGKILL. */
  roleStopMs: 10_000,
  /** Characters of a log in an error. */
  logTail: 4000,
} as const;
