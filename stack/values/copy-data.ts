/**
 * Scripts that copy the data of a running server: from the folder `$1`, which is its volume, to `$2`, an empty folder in it whose
 * name begins with `.promstack-`. They exit with another code than 0 when the data changed meanwhile: then they run again.
 */

/**
 * Copies all files, each as it was at one moment. A transaction of SQLite that is under way has a journal, and the files are compared with
 * their copies, so that a transaction in between is noticed.
 */
export const copyFiles = `set -e
cd "$1"
unfinished() { find . -name '.promstack-*' -prune -o -name '*-journal' -size +0c -print | grep -q .; }
if unfinished; then echo 'a transaction is under way' >&2; exit 75; fi
find . -mindepth 1 -maxdepth 1 ! -name '.promstack-*' ! -name lost+found -exec cp -a {} "$2/" ';'
find . -name '.promstack-*' -prune -o -type f -print | while IFS= read -r file; do
  cmp -s "$file" "$2/$file" || { echo "$file changed" >&2; exit 75; }
done
if unfinished; then echo 'a transaction is under way' >&2; exit 75; fi
`;

/**
 * Copies the samples of a Prometheus: its write-ahead log, to which it only appends, and then links to the files of its blocks,
 * which never change. Both are repeated when it has cut the log or replaced blocks meanwhile. The chunks of the head are left out: their
 * samples are in the log.
 */
export const copySamples = `set -e
cd "$1"
blocks() { for meta in */meta.json; do if [ -e "$meta" ]; then echo "\${meta%/meta.json}"; fi; done; }
start() { for log in wal wbl; do if [ -d $log ]; then ls $log | grep -m 1 '^[0-9]' || true; ls -d $log/checkpoint.* 2>/dev/null || true; fi; done; }
began=$(start)
for log in wal wbl; do if [ -d $log ]; then cp -a $log "$2/"; fi; done
found=$(blocks)
for block in $found; do cp -al "$block" "$2/"; done
if [ "$(blocks)" != "$found" ] || [ "$(start)" != "$began" ]; then echo 'it compacted its samples' >&2; exit 75; fi
`;
