/**
 * What the helper runs: it reads one request after the other and answers each with `STATUS SIZE`, a line break and so
 * many bytes. Every argument is a line of its own. The next request must not be sent before the answer is read, since
 * `head` may read ahead.
 *
 * - `clear PATH`: takes a folder away with all it holds.
 * - `put SIZE` and so many bytes of a tar archive: unpacks it.
 * - `link PATH TO`: makes a link in one step, so that there is no moment without one.
 * - `get FOLDER NAME`: an archive of what has the name in the folder; status 1 when it is not there.
 * - `readlink PATH`: what is written in a link; status 1 when there is none.
 * - `mirror FROM TO`: a folder whose files are those of another, linked; then a line for each file with its mode, owner,
 *   group and path, and a line for each with its MD5 and path.
 * - `remove COUNT PATH…`: takes files away.
 * - `run COUNT ARG…`: a program, with all it prints.
 */
export const helperScript = `
answer() { printf '%s %s\\n' "$1" "$(wc -c < /tmp/out)"; cat /tmp/out; }
# Runs what follows with so many words more, read from as many lines.
with_words() {
  IFS= read -r count
  while [ "$count" -gt 0 ]; do IFS= read -r word; set -- "$@" "$word"; count=$((count - 1)); done
  "$@" > /tmp/out 2>&1 < /dev/null
}
# Links are the very files they are made of, so these can be looked at meanwhile.
mirror() {
  mkdir -p -- "\${2%/*}" && [ -d "$1" ] || return 1
  cp -al -- "$1" "$2" & copying=$!
  (cd -- "$1" && find . -type f -print0 | xargs -0 stat -c '%a %u %g %n' && find . -type f -print0 | xargs -0 md5sum)
  looked=$?
  wait "$copying" && return "$looked"
}
# Out of the way at once, and taken away meanwhile.
clear() {
  if [ -e "$1" ] || [ -L "$1" ]; then mkdir -p -- "$2" && mv -- "$1" "$2/$3" || return 1; fi
  rm -rf -- "$2/$3" > /dev/null 2>&1 &
}
cd "$1" || exit 1
rm -rf -- */.gone
cleared=0
while IFS= read -r verb; do
  : > /tmp/out
  case "$verb" in
    clear) IFS= read -r path; cleared=$((cleared + 1))
      clear "$path" "\${path%%/*}/.gone" "$cleared" > /tmp/out 2>&1; answer $? ;;
    put) IFS= read -r size; head -c "$size" | tar -xf - > /tmp/out 2>&1; answer $? ;;
    link) IFS= read -r path; IFS= read -r to
      { rm -rf -- "$path.new" && ln -s -- "$to" "$path.new" && mv -f -T -- "$path.new" "$path"; } > /tmp/out 2>&1
      answer $? ;;
    get) IFS= read -r folder; IFS= read -r name
      if [ -e "$folder/$name" ] || [ -L "$folder/$name" ]; then tar -cf /tmp/out -C "$folder" -- "$name"; answer $?
      else answer 1; fi ;;
    readlink) IFS= read -r path; readlink -- "$path" > /tmp/out 2>&1; answer $? ;;
    mirror) IFS= read -r from; IFS= read -r to; (mirror "$from" "$to") > /tmp/out 2>&1; answer $? ;;
    remove) with_words rm -f --; answer $? ;;
    run) with_words; answer $? ;;
    *) answer 127 ;;
  esac
done
`;
