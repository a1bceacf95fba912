import { configMount } from '../../stack/values/container.ts';
import type { ArchiveEntry, Engine, ExecResult } from '../engine/engine.ts';
import { configWriterRoot, names } from './names.ts';

/** The way to the files in a stack's config volumes. Paths are below a service's volume: `current`, `releases/3f2a`. */
export interface ConfigFiles {
  /** Says which container of a service mounts its volume at the usual place: reading works by it without the carrier. */
  locate(service: string, container: string): void;
  /** Unpacks entries whose paths begin with the service, in their order: `prometheus/current`. Folders that are cleared hold nothing else afterwards. */
  write(entries: readonly ArchiveEntry[], cleared?: readonly string[]): Promise<void>;
  /** A file, or a folder with all it holds; undefined when it is not there. Paths in it begin with the last part of the path asked for. */
  read(service: string, path: string): Promise<readonly ArchiveEntry[] | undefined>;
  /** What is written in a link; undefined when there is none. */
  readLink(service: string, path: string): Promise<string | undefined>;
  /**
   * Makes a folder that shares the files of another one, which is quicker by far than writing as many anew. Answers with
   * what the other holds: `MODE UID GID MD5` of each file by its path; those that are not wanted are taken away from the
   * new one then. Absent where there is no such way.
   */
  readonly mirror?:
    | ((from: string, to: string, unwanted: readonly string[]) => Promise<ReadonlyMap<string, string>>)
    | undefined;
  /** A quick way to the programs of one image with the files in sight; absent when there is none. */
  readonly tools?: FileTools | undefined;
}

/** Programs that run where the config volumes are mounted as the carrier has them. */
export interface FileTools {
  readonly imageId: string;
  readonly container: string;
  /** An abort ends the program, and with it this way to run any: rejects then, as it does when it is broken. */
  exec(argv: readonly string[], signal?: AbortSignal): Promise<ExecResult>;
}

/** By the engine's archive calls: through the carrier, which never runs, or through a service's own container. */
export function archivedFiles(engine: Engine, stack: string): ConfigFiles {
  const carrier = names.carrier(stack);
  const containers = new Map<string, string>();
  const at = (service: string, path: string): readonly [container: string, path: string] => {
    const own = containers.get(service);
    return own === undefined ? [carrier, `${configWriterRoot}/${service}/${path}`] : [own, `${configMount}/${path}`];
  };
  return {
    locate: (service, container) => void containers.set(service, container),
    write: (entries, cleared = []) =>
      engine.putFiles(carrier, configWriterRoot, [...cleared.map(clearing), ...entries]),
    read: (service, path) => engine.getFiles(...at(service, path)),
    readLink: (service, path) => engine.readLink(...at(service, path)),
  };
}

/** Unpacking a link over a folder takes it away with all it holds, and a folder over the link takes the link away. */
function clearing(path: string): ArchiveEntry {
  return { kind: 'link', path, to: 'nothing', uid: 0, gid: 0 };
}
