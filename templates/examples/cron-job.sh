#!/bin/bash
# Runs a batch job and pushes its result, for alerts on jobs that fail or stop running:
#
#   */30 * * * *  cron-job.sh backup /usr/local/bin/backup --all
#
#   batch_job_success                          1 or 0
#   batch_job_duration_seconds
#   batch_job_last_run_timestamp_seconds       when it ended
#   batch_job_last_success_timestamp_seconds   when it last succeeded; unchanged by a failure
#
# Alert on `time() - batch_job_last_success_timestamp_seconds > 2 * 1800`; it also covers a job that no longer runs.
# Exits with the job's exit code, even if the push fails. The Pushgateway is $PUSHGATEWAY, by default http://localhost:9091.
set -u
gateway=${PUSHGATEWAY:-http://localhost:9091}
if (($# < 2)); then
  echo "usage: $0 JOB COMMAND [ARGUMENT...]" >&2
  exit 2
fi
job=$1
shift

started=$EPOCHREALTIME
"$@"
status=$?
ended=$EPOCHREALTIME

# EPOCHREALTIME has six decimals after the locale's decimal separator.
duration=$((${ended/[.,]/} - ${started/[.,]/}))
ended=${ended/,/.}
{
  echo '# HELP batch_job_success Whether the last run succeeded.'
  echo '# TYPE batch_job_success gauge'
  echo "batch_job_success $((status == 0))"
  echo '# HELP batch_job_duration_seconds How long the last run took.'
  echo '# TYPE batch_job_duration_seconds gauge'
  printf 'batch_job_duration_seconds %d.%06d\n' $((duration / 1000000)) $((duration % 1000000))
  echo '# HELP batch_job_last_run_timestamp_seconds When the last run ended.'
  echo '# TYPE batch_job_last_run_timestamp_seconds gauge'
  echo "batch_job_last_run_timestamp_seconds $ended"
  if ((status == 0)); then
    echo '# HELP batch_job_last_success_timestamp_seconds When a run last succeeded.'
    echo '# TYPE batch_job_last_success_timestamp_seconds gauge'
    echo "batch_job_last_success_timestamp_seconds $ended"
  fi
  # The job name in URL-safe base64, since it may contain a slash; POST, since PUT would remove the last success.
} | curl --silent --show-error --fail-with-body --max-time 10 --retry 3 --retry-connrefused --data-binary @- \
  "$gateway/metrics/job@base64/$(printf %s "$job" | base64 | tr -d '\n' | tr '+/' '-_')" >&2 ||
  echo "$0: could not push the result of $job to $gateway" >&2
exit "$status"
