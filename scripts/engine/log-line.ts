/** A line of a container's output. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** The engine's timestamp, RFC 3339. */
  readonly time: string;
  readonly text: string;
}
