#!/bin/sh
# The schedule of compose.yaml, without another image: one command of Meterlake at one hour, in the zone TZ, for ever.
#
#   use:       meterlake-daily [--now] HH:MM DAY COMMAND…      DAY is `daily`, or a weekday from 1 (Monday) to 7
#   validate:  make test-deploy   (tests/deploy/test_container.py runs it over both clock changes)
#
# With --now the first time is at once. A command that failed is reported on standard error; the next one starts anyway.
set -u
due=no
if [ "$1" = --now ]; then
    due=yes
    shift
fi
at=$1 day=$2
shift 2
while true; do
    if [ "$due" = yes ]; then
        meterlake "$@" || echo "meterlake $1 ended with $?" >&2
    fi
    due=yes
    now=$(date +%s)
    today=$(date +%F)
    for days in 0 1 2 3 4 5 6 7; do
        date=$(date -d "$today + $days days" +%F)
        next=$(date -d "$date $at" +%s)
        if [ "$next" -gt "$now" ]; then
            case $day in daily | "$(date -d "$date" +%u)") break ;; esac
        fi
    done
    sleep "$((next - now))" || exit 1
done
