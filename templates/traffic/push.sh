#!/bin/sh
# The source of the demo: pushes three groups of sample metrics every five seconds. A RAID array fails for half a minute
# every five minutes, first soon after the start.
#   push.sh CONFIG_DIR PORT    PORT answers 200 while the source runs
gateway=http://pushgateway:9091

push() { # JOB{/LABEL/VALUE}, body on stdin
  body="$(cat)
"
  wget -q -O /dev/null --post-data "$body" "$gateway/metrics/job/$1" || echo "push to job $1 failed, retrying in 5 s" >&2
}

# Stops the web server with the loop.
busybox httpd -f -p "$2" -h "$1/www" &
trap 'kill $! 2>/dev/null; exit 0' TERM INT

pay=0 cart=0 errors=0 second=0
while :; do
  # Array md1 is degraded from second 10 to 39 of every five minutes.
  degraded=$((second % 300 >= 10 && second % 300 < 40))
  push link_job <<EOF
# TYPE request_error_number gauge
# HELP request_error_number Failed requests since the last push.
request_error_number $((second % 7 + degraded * 99))
EOF
  pay=$((pay + 12 + second % 9))
  cart=$((cart + 20 + second % 13))
  errors=$((errors + second % 3 / 2 + degraded * 3))
  push pushgateway/instance/10.40.80.1 <<EOF
# TYPE http_request_total counter
# HELP http_request_total Requests served, by status code and path.
http_request_total{code="200",path="/pay"} $pay
http_request_total{code="200",path="/cart"} $cart
http_request_total{code="500",path="/pay"} $errors
EOF
  push raid/instance/storage-1 <<EOF
# TYPE raid_status gauge
# HELP raid_status 1 if the RAID array is OK, 0 if it is degraded.
raid_status{array="md0"} 1
raid_status{array="md1"} $((1 - degraded))
raid_status{array="md2"} 1
EOF
  echo "pushed 3 groups: /pay $pay, /cart $cart, md1 $([ $degraded = 1 ] && echo degraded || echo OK)"
  second=$((second + 5))
  sleep 5 &
  wait $!
done
