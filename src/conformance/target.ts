/**
 * What bots are given to fuzz: a script that behaves like a target of libFuzzer, like a program of
 * the command convention, or, without arguments, like a program that reads its standard input once.
 * It fuzzes nothing, and ends when its time is over or a signal comes. With `crashes` it crashes at
 * the first chance.
 *
 * @param mark makes its bytes differ from those of others, so that no bot has it already
 */
export const targetScript = (mark: string, crashes: boolean): Buffer =>
  Buffer.from(script.replace('MARK', mark).replace('CRASHES', crashes ? 'yes' : 'no'));

const script = `#!/bin/sh
# The target of "pandafuzz conformance" (MARK). It names PANDAFUZZ_CORPUS for engines that look.
crashes=CRASHES
seconds=\${PANDAFUZZ_SECONDS:-3600}
as=once
input=
for argument; do
  case $argument in
    -artifact_prefix=*) as=libfuzzer prefix=\${argument#*=};;
    -max_total_time=*) as=libfuzzer seconds=\${argument#*=};;
    -*) ;;
    fuzz) [ -n "$PANDAFUZZ_CORPUS" ] && as=command;;
    replay) as=replay;;
    *) [ -f "$argument" ] && input=$argument;;
  esac
done

report() {
  echo "==$$==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000"
  echo "    #0 0x1 in conformance /src/conformance.c:1:2"
  echo "SUMMARY: AddressSanitizer: SEGV /src/conformance.c:1:2 in conformance"
} >&2

# One input, from a file or standard input.
if [ $as = once ] || [ $as = replay ] || [ -n "$input" ]; then
  [ $as = once ] && [ -z "$input" ] && cat >/dev/null
  [ $crashes = yes ] || exit 0
  [ $as = once ] && [ -z "$input" ] && kill -SEGV $$
  report
  exit 77
fi

if [ $crashes = yes ]; then
  if [ $as = libfuzzer ]; then
    printf '#2\\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 27Mb\\n' >&2
    report
    # As libFuzzer, by the SHA-1 of the input: bots find out by it whether the file is whole.
    artifact=\${prefix}crash-5500404c3c99e02ef45882a956e67c3ac9b6615b
    printf conformance >"$artifact"
    echo "artifact_prefix='$prefix'; Test unit written to $artifact" >&2
    exit 77
  fi
  echo 'pandafuzz: executions=2'
  report
  printf 'crash' >"$PANDAFUZZ_CRASHES/crash-1"
  echo 'pandafuzz: crash crash-1'
  exit 134
fi

ends() { [ $as = libfuzzer ] && exit 72; exit 0; }
trap ends TERM INT USR1
line() {
  if [ $as = libfuzzer ]; then
    printf '#%d\\t%s cov: 3 ft: 4 corp: 1/1b exec/s: 100 rss: 27Mb\\n' $((executions + 2)) "$1" >&2
  else
    echo "pandafuzz: executions=$((executions + 2)) coverage=3"
  fi
}
executions=0
line INITED
while [ $executions -lt $((seconds * 100)) ]; do
  sleep 0.5 &
  wait $!
  executions=$((executions + 50))
  line pulse
done
line DONE
`;
