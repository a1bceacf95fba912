import type { ConfigFiles } from '../state/config-files.ts';

/** The quick way as long as it works, then the sure one: a change under way, or its taking back, does not end with a helper. */
export function withFallback(quick: ConfigFiles, sure: ConfigFiles, onBroken: () => void): ConfigFiles {
  let isBroken = false;
  const byEither = async <T>(work: (files: ConfigFiles) => Promise<T>): Promise<T> => {
    if (!isBroken) {
      try {
        return await work(quick);
      } catch {
        isBroken = true;
        onBroken();
      }
    }
    return work(sure);
  };
  return {
    locate: (service, container) => {
      quick.locate(service, container);
      sure.locate(service, container);
    },
    write: (entries, cleared) => byEither((files) => files.write(entries, cleared)),
    read: (service, path) => byEither((files) => files.read(service, path)),
    readLink: (service, path) => byEither((files) => files.readLink(service, path)),
    get mirror() {
      return isBroken ? undefined : quick.mirror;
    },
    get tools() {
      return isBroken ? undefined : quick.tools;
    },
  };
}
