import type { StackConfig } from '../../stack/config.ts';
import type { ContainerSpec, RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { LoadedStack, SourceText } from '../config/loaded.ts';

/** Everything a stack is meant to be: the last value before the engine is looked at. */
export interface Rendering {
  readonly config: StackConfig;
  /** Folder of stack.yml. */
  readonly folder: string;
  /** Where a key stands in stack.yml, for messages. */
  readonly locate?: LoadedStack['locate'];
  readonly written?: SourceText;
  /** Hash over every service's revision; names the whole. */
  readonly revision: string;
  readonly services: readonly ServiceRendering[];
  /** Rule tests and the like that go with the files but are not given to any server. */
  readonly tests: readonly RenderedFile[];
}

/** One service as it is meant to be. */
export interface ServiceRendering {
  readonly service: Service;
  readonly container: ContainerSpec;
  /** Files for its config directory, sorted by path, the revision stamped in; empty when it has none. */
  readonly files: readonly RenderedFile[];
  /** Hash of its files, before the stamp. */
  readonly revision: string;
  /** Of a service read back from the engine: the release folder that its files were in, and the ID of its image. */
  readonly stored?: { readonly folder: string | undefined; readonly imageId: string };
}
