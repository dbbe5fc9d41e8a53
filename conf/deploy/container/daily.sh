#!/bin/sh
# Runs now, and then each day at 08:00 in the zone TZ: the schedule of compose.yaml, without another image.
# A failed run or a refused delivery is reported on standard error; the next day's run starts anyway.
#   validate:  make test-deploy   (tests/deploy/test_container.py runs it over both clock changes)
set -u
while true; do
    meterlake run --strict --json || echo "meterlake run ended with $?" >&2
    now=$(date +%s)
    today=$(date +%F)
    next=$(date -d "$today 08:00" +%s)
    [ "$next" -gt "$now" ] || next=$(date -d "$today 08:00 tomorrow" +%s)
    sleep "$((next - now))" || exit 1
done
