#!/bin/sh
# Pushes with nothing but curl. The Pushgateway is at $PUSHGATEWAY, else at http://localhost:9091.
#
# The address is /metrics/job/JOB{/LABEL/VALUE}. POST, which curl uses here, replaces the metrics of the same names in
# that group; `--request PUT` replaces the group as a whole, `--request DELETE` without a body removes it.
# --data-binary keeps the line ends, and every line needs one. --fail-with-body makes curl exit with an error when the
# Pushgateway refuses, and prints its words.
set -eu
gateway=${PUSHGATEWAY:-http://localhost:9091}
push() { curl --silent --show-error --fail-with-body --max-time 10 --data-binary @- "$gateway/metrics/job/$1"; }

# One value.
echo "request_error_number 99" | push link_job

# A file, for one of many instances.
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

# Several values with labels, written where they are pushed.
push pushgateway/instance/10.40.80.1 <<EOF
# TYPE http_request_total counter
http_request_total{code="200",path="/pay"} 12
http_request_total{code="200",path="/cart"} 20
EOF
