#!/bin/sh
# Deletes the groups of the Pushgateway whose ttl has expired.
#   expire.sh CONFIG_VOLUME PORT    PORT serves the files of CONFIG_VOLUME while it runs
# The Pushgateway has no conditional delete: a group that is pushed between the listing and its delete is deleted with that
# push. So each listing is followed at once by its deletes, and they are few.
export LC_ALL=C
gateway=pushgateway port=9091
files=$1/current
most=250

groups() {
  wget -q -T 30 -O - --header 'Accept: text/plain; version=1.0.0; escaping=allow-utf-8' "http://$gateway:$port/metrics" 2>/dev/null |
    grep -a -e '^push_time_seconds{' -e '^push_failure_time_seconds{.* [^0]' -e '^pushgateway_build_info{'
}

# Path and labels of each expired group, at most $most; fails when the groups cannot be listed.
expired() {
  now=$(date +%s)
  groups | awk -v now="$now" -v most="$most" -f "$files/expired.awk" "$files/ttl" -
}

# Reads what `expired` printed.
delete() {
  sed "s|^\([^ ]*\).*|DELETE \1 HTTP/1.1\r\nHost: $gateway\r\n\r|"
  printf 'GET /-/ready HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$gateway"
}

# Stops the web server with the loop.
busybox httpd -f -p "$2" -h "$1" &
trap 'exit 0' TERM INT

failed=
while :; do
  ttl=$(cat "$files/ttl")
  pause=$(printf '%s\n' "$ttl" | sed -n 's/^every //p')
  if ! found=$(expired); then
    [ -n "$failed" ] || echo "cannot list the groups of $gateway, retrying every 5 s" >&2
    failed=yes pause=5
  else
    [ -z "$failed" ] || echo "lists the groups of $gateway again"
    failed=
    if [ -n "$found" ]; then
      printf '%s\n' "$found" | delete | timeout 60 nc "$gateway" "$port" >/dev/null || echo "the groups may not be deleted: no answer" >&2
      printf '%s\n' "$found" | sed -n 's/^[^ ]* /deleted /p'
      [ "$(printf '%s\n' "$found" | wc -l)" -lt "$most" ] || pause=1
    fi
  fi
  # A new ttl counts at once.
  while [ "$pause" -gt 0 ] && [ "$(cat "$files/ttl")" = "$ttl" ]; do
    sleep 1 &
    wait $!
    pause=$((pause - 1))
  done
done
