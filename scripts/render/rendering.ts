import type { StackConfig } from '../../stack/config.ts';
import type { ContainerSpec, RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { ComposeProject, LoadedStack, SourceText, StackOrigin } from '../config/loaded.ts';

/** The desired state of a stack, before anything is read from the engine. */
export interface Rendering {
  readonly config: StackConfig;
  /** Folder of stack.yml. */
  readonly folder: string;
  /** The file that the stack is managed from; undefined when unknown. */
  readonly origin?: StackOrigin | undefined;
  /** The place of a key in stack.yml, for messages. */
  readonly locate?: LoadedStack['locate'];
  readonly written?: SourceText;
  readonly missingSecrets?: LoadedStack['missingSecrets'];
  /** The services that are left out, although stack.yml enables them; undefined for a stack read back from the engine. */
  readonly without?: readonly string[] | undefined;
  /** The compose project that it is a part of. */
  readonly compose?: ComposeProject | undefined;
  /** Hash of all services' revisions. */
  readonly revision: string;
  readonly services: readonly ServiceRendering[];
  /** Renders the same files with another config; absent for a stack read back from the engine. */
  readonly renderWith?: ((config: StackConfig) => Rendering) | undefined;
  /** Rule tests that belong to the files but are not given to a server. */
  readonly tests: readonly RenderedFile[];
}

/** The desired state of one service. */
export interface ServiceRendering {
  readonly service: Service;
  readonly container: ContainerSpec;
  /** Files for its config directory, sorted by path, with the revision stamped in. */
  readonly files: readonly RenderedFile[];
  /** Hash of its files before the stamp. */
  readonly revision: string;
  /** For a service read back from the engine: the release folder of its files, and its image ID. */
  readonly stored?: { readonly folder: string | undefined; readonly imageId: string };
}
