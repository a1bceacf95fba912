/** What promstack's exit codes mean; scripts lean on them. */
export const exitCodes = {
  fine: 0,
  /** The engine, a server or the network refused, or something that was looked at is not right. */
  refused: 1,
  /** The config or the command line is wrong; nothing was touched. */
  wrongInput: 2,
  /** There is something to do, and the caller asked to be told by the exit code. */
  changesPending: 3,
  interrupted: 130,
} as const;

/** One of the exit codes promstack ends with. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
