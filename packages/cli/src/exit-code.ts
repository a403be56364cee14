/** What the process returns; the same for every command. */
export const exitCode = {
  ok: 0,
  /** The thing that was checked is wrong, or the command failed at its work. */
  failed: 1,
  /** Nothing can be said: bad usage, missing input, something needed is not there. */
  unchecked: 2,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
