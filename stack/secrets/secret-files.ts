/** Where a program reads secrets out of files of their own instead of its config. */
export interface SecretFiles {
  /**
   * Keys that may hold a secret, by the last keys of the way to them (items of lists not counted, `*` for any one key), and
   * beside each the key that names a file instead: `slack_configs.api_url` and `api_url_file`.
   */
  readonly fields: Readonly<Record<string, string>>;
  /** Those of `fields` that may be seen when they stand in the config: a name, a certificate. The program shows them too. */
  readonly seen: readonly string[];
  /** Further keys with secrets, which the program reads from no file. */
  readonly unfiled: readonly string[];
  /** How its config calls a file of its config directory: relative to the config file, or by its whole path. */
  readonly paths: 'relative' | 'absolute';
  /** Whether a new text gets a new path, for a program that may go on with the old one until its config changes. */
  readonly movesWithText?: boolean;
}

/** The key that names a file instead of the key at the end of `keys`; undefined when the program has none. */
export function fileKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  return Object.entries(fields).find(([field]) => endsIn(keys, field.split('.')))?.[1];
}

/** The key whose secret a key at the end of `keys` names the file of; undefined when it names none. */
export function secretKeyOf(keys: readonly string[], { fields }: SecretFiles): string | undefined {
  const found = Object.entries(fields).find(([field, fileKey]) =>
    endsIn(keys, [...field.split('.').slice(0, -1), fileKey]),
  );
  return found?.[0].split('.').at(-1);
}

/** Whether a way of keys ends in these, where `*` is any one key. */
export function endsIn(keys: readonly string[], end: readonly string[]): boolean {
  const from = keys.length - end.length;
  return from >= 0 && end.every((step, at) => step === '*' || step === keys[from + at]);
}
