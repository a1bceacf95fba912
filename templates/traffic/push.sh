#!/bin/sh
# The demo's source: pushes the pipeline's three kinds of sample metrics every five seconds, as a cron job or a switch
# would, and lets a RAID array fail for half a minute every five minutes, the first time soon after the start.
#   push.sh CONFIG_DIR PORT    PORT answers 200 while the source runs
gateway=http://pushgateway:9091

push() { # JOB{/LABEL/VALUE}, body on stdin
  body="$(cat)
"
  wget -q -O /dev/null --post-data "$body" "$gateway/metrics/job/$1" || echo "push to job $1 failed, trying again in 5 s" >&2
}

# With one process for the web server and one for the loop, ending the first must end the other.
busybox httpd -f -p "$2" -h "$1/www" &
trap 'kill $! 2>/dev/null; exit 0' TERM INT

pay=0 cart=0 errors=0 second=0
while :; do
  # 10 to 39 seconds into each five minutes array md1 is broken.
  broken=$((second % 300 >= 10 && second % 300 < 40))
  push link_job <<EOF
# TYPE request_error_number gauge
# HELP request_error_number Requests that failed since the last push.
request_error_number $((second % 7 + broken * 99))
EOF
  pay=$((pay + 12 + second % 9))
  cart=$((cart + 20 + second % 13))
  errors=$((errors + second % 3 / 2 + broken * 3))
  push pushgateway/instance/10.40.80.1 <<EOF
# TYPE http_request_total counter
# HELP http_request_total Requests served, by status code and path.
http_request_total{code="200",path="/pay"} $pay
http_request_total{code="200",path="/cart"} $cart
http_request_total{code="500",path="/pay"} $errors
EOF
  push raid/instance/storage-1 <<EOF
# TYPE raid_status gauge
# HELP raid_status 1 if the RAID array is okay, 0 if it is degraded.
raid_status{array="md0"} 1
raid_status{array="md1"} $((1 - broken))
raid_status{array="md2"} 1
EOF
  echo "pushed 3 groups: /pay $pay, /cart $cart, md1 $([ $broken = 1 ] && echo degraded || echo okay)"
  second=$((second + 5))
  sleep 5 &
  wait $!
done
