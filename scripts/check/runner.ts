import type { CheckCommand, RenderedFile } from '../../stack/model.ts';

/** A place where a service's checking tools run over files that no server reads yet. */
export interface CheckRunner extends AsyncDisposable {
  /** Where the tools run, for messages: `prom/prometheus:v3.5.3`, `promtool of this host`. */
  readonly where: string;
  /** Runs one command; the files are in place under the command's CONFIG. Rejects with StackError when it cannot be run at all. */
  run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun>;
}

/** What a checking tool answered; output is stdout and stderr together. */
export interface CheckRun {
  readonly exitCode: number;
  readonly output: string;
}

/** Opens a runner for one service: its image and the files to check. */
export type OpenRunner = (job: {
  readonly service: string;
  readonly image: string;
  readonly user: string;
  readonly files: readonly RenderedFile[];
}) => Promise<CheckRunner>;
