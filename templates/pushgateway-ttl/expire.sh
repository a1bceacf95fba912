#!/bin/sh
# Deletes the groups of the Pushgateway whose ttl has expired.
#   expire.sh CONFIG_VOLUME PORT    PORT serves the file with the ttl while it runs
# The Pushgateway has no conditional delete: a group that is pushed between the listing and its delete is deleted with that
# push. So each listing is followed at once by its deletes, and they are few.
export LC_ALL=C
gateway=pushgateway port=9091
files=$1/current
most=250

# How the Pushgateway is reached: https, and the header that logs in. busybox does not verify certificates.
scheme() {
  cat "$files/access/scheme" 2>/dev/null || echo http
}

login() {
  cat "$files/access/login" 2>/dev/null || echo 'X-None: none'
}

connect() {
  case $(scheme) in
    https) timeout 60 ssl_client -n "$gateway" "$gateway:$port" ;;
    *) timeout 60 nc "$gateway" "$port" ;;
  esac
}

groups() {
  wget -q -T 30 -O - --no-check-certificate --header 'Accept: text/plain; version=1.0.0; escaping=allow-utf-8' \
    --header "$(login)" "$(scheme)://$gateway:$port/metrics" 2>/dev/null |
    grep -a -e '^push_time_seconds{' -e '^push_failure_time_seconds{.* [^0]' -e '^pushgateway_build_info{'
}

# Path and labels of each expired group, at most $most; fails when the groups cannot be listed.
expired() {
  now=$(date +%s)
  groups | awk -v now="$now" -v most="$most" -f "$files/expired.awk" "$files/ttl" -
}

# Reads what `expired` printed.
delete() {
  header=$(login)
  sed 's/ .*//' | while read -r path; do
    printf 'DELETE %s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n' "$path" "$gateway" "$header"
  done
  printf 'GET /-/ready HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: close\r\n\r\n' "$gateway" "$header"
}

# Only the ttl: the login is beside it.
mkdir -p /tmp/www/current
ln -sf "$files/ttl" /tmp/www/current/ttl
# Stops the web server with the loop.
busybox httpd -f -p "$2" -h /tmp/www &
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
      printf '%s\n' "$found" | delete | connect >/dev/null || echo "the groups may not be deleted: no answer" >&2
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
