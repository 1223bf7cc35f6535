#!/bin/sh
# Counts for PANDAFUZZ_SECONDS, with a look at PANDAFUZZ_CORPUS now and then.
[ "$1" = fuzz ] || exit 64
ends=$(($(date +%s) + PANDAFUZZ_SECONDS))
executions=0
while [ "$(date +%s)" -lt "$ends" ]; do
  round=0
  while [ $round -lt 20000 ]; do round=$((round + 1)); done
  executions=$((executions + round))
  [ -d "$PANDAFUZZ_CORPUS" ] && echo "pandafuzz: executions=$executions"
done
