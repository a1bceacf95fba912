/** Moves the data of before to a folder, and that of the backup to its place; a second run completes the first. */
export function switchScript(id: string): string {
  return `set -e
for volume in /volumes/*; do
  [ -d "$volume/.promstack-restore-${id}" ] || continue
  if [ ! -e "$volume/.promstack-moved-${id}" ]; then
    mkdir -p "$volume/.promstack-before-${id}"
    find "$volume" -mindepth 1 -maxdepth 1 ! -name '.promstack-*' -exec mv {} "$volume/.promstack-before-${id}/" ';'
    touch "$volume/.promstack-moved-${id}"
  fi
  find "$volume/.promstack-restore-${id}" -mindepth 1 -maxdepth 1 -exec mv {} "$volume/" ';'
  rmdir "$volume/.promstack-restore-${id}"
done`;
}

/** Puts the data of before back in its place. Until all of it was moved, nothing in its place is of the backup. */
export function undoScript(id: string): string {
  return `set -e
for volume in /volumes/*; do
  [ -d "$volume/.promstack-before-${id}" ] || continue
  if [ -e "$volume/.promstack-moved-${id}" ]; then
    find "$volume" -mindepth 1 -maxdepth 1 ! -name '.promstack-*' -exec rm -rf {} ';'
  fi
  find "$volume/.promstack-before-${id}" -mindepth 1 -maxdepth 1 -exec mv {} "$volume/" ';'
  rm -rf "$volume/.promstack-before-${id}" "$volume/.promstack-moved-${id}" "$volume/.promstack-restore-${id}"
done`;
}
