#!/bin/sh
# A fuzzing engine for PandaFuzz in a few lines (docs/engine-command.md). It runs the program
# "target" beside it on files, and changes one byte of an input at a time.
set -u
target=$(dirname "$0")/target
action=$1
shift # what is left are the job's arguments, which go to the target

case $action in
  replay) exec "$target" "$@" "$PANDAFUZZ_INPUT" ;;
  fuzz) ;;
  *) echo "this engine does not know the action $action" >&2; exit 64 ;;
esac

input=$TMPDIR/input
report=$TMPDIR/report
executions=0
ends=$(($(date +%s) + PANDAFUZZ_SECONDS))
trap 'exit 0' TERM # the clean stop
ls "$PANDAFUZZ_CORPUS" | grep -q . || echo hello > "$PANDAFUZZ_CORPUS/first"

while [ "$(date +%s)" -lt "$ends" ]; do
  parent=$PANDAFUZZ_CORPUS/$(ls "$PANDAFUZZ_CORPUS" | shuf -n 1)
  at=$(shuf -n 1 -i 0-"$(wc -c < "$parent")")
  byte=$(printf %o "$(shuf -n 1 -i 32-126)")
  { head -c "$at" "$parent"; printf "\\$byte"; tail -c +$((at + 2)) "$parent"; } > "$input"
  timeout "$PANDAFUZZ_INPUT_SECONDS" "$target" "$@" "$input" > "$report" 2>&1
  code=$?
  executions=$((executions + 1))
  name=$(date +%s)-$$-$executions
  if [ $code -ge 124 ]; then # a signal, or the end of its time
    [ $code = 124 ] && kind=timeout || kind=crash
    cat "$report"
    mv "$input" "$PANDAFUZZ_CRASHES/$kind-$name" && echo "pandafuzz: crash $kind-$name"
  elif ! [ -e "$PANDAFUZZ_STATE/$(cksum < "$report")" ]; then # it printed something new
    touch "$PANDAFUZZ_STATE/$(cksum < "$report")"
    mv "$input" "$PANDAFUZZ_CORPUS/$name"
  fi
  echo "pandafuzz: executions=$executions coverage=$(ls "$PANDAFUZZ_STATE" | wc -l)"
done
