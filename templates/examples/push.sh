#!/bin/sh
# Pushes with curl. The Pushgateway is $PUSHGATEWAY, by default http://localhost:9091.
#
# The path is /metrics/job/JOB{/LABEL/VALUE}. POST, curl's default here, replaces the metrics with the same names in the
# group; `--request PUT` replaces the whole group, `--request DELETE` without a body removes it. --data-binary keeps the
# newlines, which every line needs. With --fail-with-body curl fails and prints the error when the push is rejected.
set -eu
gateway=${PUSHGATEWAY:-http://localhost:9091}
push() { curl --silent --show-error --fail-with-body --max-time 10 --data-binary @- "$gateway/metrics/job/$1"; }

# One value.
echo "request_error_number 99" | push link_job

# A file, for one of several instances.
ip=10.40.80.2
metrics=$(mktemp)
trap 'rm -f "$metrics"' EXIT
cat > "$metrics" <<EOF
# HELP if_in_octets Bytes received on an interface.
# TYPE if_in_octets counter
if_in_octets{interface="eth0"} 104857600
if_in_octets{interface="eth1"} 2048
EOF
push "snmp/instance/$ip" < "$metrics"

# Several values with labels, inline.
push pushgateway/instance/10.40.80.1 <<EOF
# TYPE http_request_total counter
http_request_total{code="200",path="/pay"} 12
http_request_total{code="200",path="/cart"} 20
EOF
