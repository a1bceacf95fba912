const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes as a person says them, in powers of 1000 as the docker command has them: `98.2 MB`. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let at = 0;
  while (size >= 999.5 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}
