#!/usr/bin/python3
"""Pushes the state of RAID arrays with Prometheus's Python client.

    push.py           every 15 seconds, until Ctrl-C
    push.py --once    once; exits 1 when the push fails

Needs prometheus_client: `apt-get install python3-prometheus-client` or `pip install prometheus-client`.
The Pushgateway is $PUSHGATEWAY, by default http://localhost:9091.
"""

import os
import sys
import time

from prometheus_client import CollectorRegistry, Gauge, pushadd_to_gateway

GATEWAY = os.environ.get("PUSHGATEWAY", "http://localhost:9091")

# Not the default registry, which also has the metrics of this Python process.
registry = CollectorRegistry()
# Labels must be named here before .labels() can set them, or the client raises "No label names were set".
raid_status = Gauge(
    "raid_status",
    "1 if raid array is okay",
    labelnames=["method", "path", "instance"],
    registry=registry,
)


def measure():
    raid_status.labels(method="mdadm", path="/dev/md0", instance="storage-1").set(1)
    raid_status.labels(method="mdadm", path="/dev/md1", instance="storage-1").set(0)


def push():
    measure()
    # Adds to the group {job="pushgateway"} and keeps its other metrics. push_to_gateway replaces the whole group,
    # and grouping_key={"instance": "storage-1"} would select a group with that label.
    pushadd_to_gateway(GATEWAY, job="pushgateway", registry=registry, timeout=10)


if "--once" in sys.argv:
    push()
    sys.exit()

while True:
    try:
        push()
    except OSError as error:
        # The Pushgateway may be restarting. The next push has newer values anyway.
        print(f"push to {GATEWAY} failed, retrying in 15 s: {error}", file=sys.stderr)
    time.sleep(15)
