#!/usr/bin/env bash
# What surrounds tpc may fail it: a disk that is full, a reader that leaves, an interrupt, memory that ends.  Each is
# answered by a promised exit code, never by a signal, and a document is written whole or not at all.
#
#     process.sh TPC [sanitized]     says what is not so; a sanitizer answers faults and memory itself
set -uo pipefail
export LC_ALL=C
unset NO_COLOR
tpc=$(realpath "$1") sanitized=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$here/command/small.tp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
# expect WHAT CODE TEXT COMMAND...   the exit code, and a part of what is said to standard error ("" for silence)
expect() {
  local what=$1 code=$2 text=$3 said actual
  shift 3
  said=$("$@" 2>&1 > out)
  actual=$?
  [ "$actual" = "$code" ] || fail "$what: exit code $actual instead of $code, saying: $said"
  if [ -z "$text" ]; then
    [ -z "$said" ] || fail "$what: says: $said"
  else
    [[ $said == *"$text"* ]] || fail "$what: does not say \"$text\" but: $said"
  fi
}
# The only files here are those named, so nothing half written is left behind.
left() {
  local expected=$1 found
  shift
  found=$(ls -A "$@" | sort | tr '\n' ' ')
  [ "$found" = "$expected" ] || fail "files left: $found instead of $expected"
}

# A disk that is full, in every way that a document goes.
to_full() { "$tpc" "$@" > /dev/full; }
expect "standard output full" 4 "cannot write to standard output: No space left" to_full analyze "$program"
expect "help on a full disk" 4 "No space left" to_full --help
expect "version on a full disk" 4 "No space left" to_full --version
expect "-o to a full device" 4 "cannot write /dev/full: No space left" "$tpc" analyze "$program" -o /dev/full
to_closed() { "$tpc" "$@" >&-; }
expect "standard output closed" 4 "cannot write to standard output" to_closed rules

# Whole or not at all: the limit on a file's size lets a part be written, then ends it.
mkdir kept && echo "as it was" > kept/report.json
limited() {
  (
    ulimit -f 2
    "$tpc" analyze "$program" --format json --full -o "$1"
  )
}
expect "a file that may not grow" 4 "cannot write kept/report.json: File too large" limited kept/report.json
[ "$(cat kept/report.json)" = "as it was" ] || fail "a failed write changed the file"
expect "a new file that may not grow" 4 "File too large" limited kept/new.json
left "report.json " kept
expect "-o replaces" 0 "" "$tpc" analyze "$program" --format json -o kept/report.json
grep -q '"schema"' kept/report.json || fail "-o did not replace the file"

# A link stays a link, and a file keeps its permissions.
ln -s report.json kept/link && chmod 640 kept/report.json
expect "-o through a link" 0 "" "$tpc" rules -o kept/link
[ -L kept/link ] && grep -q calculus kept/report.json || fail "-o replaced a link"
[ "$(stat -c %a kept/report.json)" = 640 ] || fail "-o changed the permissions"

# Folders that cannot be written.  Root may write everywhere, unless it gives up its capabilities.
mkdir locked && chmod 500 locked
unprivileged=()
[ "$(id -u)" = 0 ] && unprivileged=(setpriv --inh-caps=-all --bounding-set=-all)
expect "a folder that may not be written" 4 "cannot write locked/x: Permission denied" \
  "${unprivileged[@]}" "$tpc" rules -o locked/x
expect "a folder that is not there" 4 "cannot write nowhere/x: No such file or directory" "$tpc" rules -o nowhere/x
expect "a folder in place of a file" 4 "cannot write kept: Is a directory" "$tpc" rules -o kept

# A reader that has seen enough.
for command in rules "analyze $program --format json --full" "library" "analyze $program"; do
  said=$({ "$tpc" $command; echo "code $?" >&2; } 2>&1 > >(head -c 1 > /dev/null))
  [ "$said" = "code 0" ] || fail "$command into head: $said"
done

# Interrupts.  The program waits for its input, so the signal finds it at work.
mkfifo pipe
expect_signal() {  # WHAT SIGNAL CODE TEXT
  env --default-signal=$2 "$tpc" analyze - < pipe > out 2> said &
  local process=$! actual
  exec 9> pipe
  sleep 0.5
  kill -"$2" "$process"
  exec 9>&-
  wait "$process" 2> /dev/null
  actual=$?
  [ "$actual" = "$3" ] || fail "$1: exit code $actual instead of $3"
  if [ -z "$4" ]; then [ ! -s said ]; else grep -qF -- "$4" said; fi || fail "$1: says: $(cat said)"
}
expect_signal "interrupted" INT 130 ""
expect_signal "terminated" TERM 143 ""
expect_signal "terminal closed" HUP 129 ""
expect_signal "processor time used up" XCPU 4 "processor time"
if [ -z "$sanitized" ]; then
  # Faults of its own, and a stack that ends.
  for signal in SEGV BUS FPE ILL ABRT; do
    expect_signal "fault by $signal" $signal 70 "please report it"
  done
  { echo "size n = 8 -> inf"; echo "input x [batch, n]"; printf 'h = x'
    for i in {1..900}; do printf ' + x'; done
    echo; echo "loss = mean(h)"; } > high.tp
  codes=""
  for limit in 192 256 384 512; do
    (ulimit -s $limit; "$tpc" analyze high.tp > /dev/null 2> said)
    code=$?
    case $code in
      0) ;;
      70) grep -q "please report it" said || fail "a stack of $limit KiB ends: $(cat said)" ;;
      *) fail "a stack of $limit KiB: exit code $code, saying: $(cat said)" ;;
    esac
    codes+="$code "
  done
  [[ $codes == *"70 "* ]] || fail "the stack never ended: $codes"

  # Memory that ends: somewhere on the way, and always by its code.  (127: too little for the loader.)
  { echo "size n = 8 -> inf"; echo "input x [batch, n]"; echo "h = x"
    for i in {1..4000}; do echo "h = tanh(h + x)"; done
    echo "loss = mean(h)"; } > long.tp
  codes=""
  for ((limit = 200000; limit < 4000000 && $(wc -w <<< "$codes") < 8; limit += ${#codes} ? 2500 : 10000)); do
    (ulimit -v $limit; "$tpc" analyze long.tp > /dev/null 2> said)
    code=$?
    case $code in
      127) continue ;;
      0) ;;
      4) grep -qx "tpc: out of memory" said || fail "memory ends at $limit KiB: $(cat said)" ;;
      *) fail "memory ends at $limit KiB: exit code $code, saying: $(tail -3 said)" ;;
    esac
    codes+="$code "
  done
  [[ $codes == *"4 "* ]] || fail "memory never ended: $codes"
fi

# Colours: on a terminal only, and not where they are not wanted.
wrong=$here/errors/unknown_name.tp
escape=$'\e'
on_terminal() { script -qefc "$*" /dev/null < /dev/null | tr -d '\r'; }
coloured() { [[ $1 == *"$escape["* ]]; }
export TERM=xterm
coloured "$(on_terminal "$tpc analyze $wrong")" || fail "no colours on a terminal"
coloured "$(NO_COLOR=1 on_terminal "$tpc analyze $wrong")" && fail "colours in spite of NO_COLOR"
coloured "$(TERM=dumb on_terminal "$tpc analyze $wrong")" && fail "colours on a dumb terminal"
coloured "$(on_terminal "$tpc analyze $wrong 2>&1 | cat")" && fail "colours in a pipe"
coloured "$(on_terminal "$tpc analyze $program --format json")" && fail "colours in JSON"
on_terminal "$tpc analyze $program -o report.txt" > /dev/null
coloured "$(cat report.txt)" && fail "colours in a file"

# Every command says how it is used.
for command in $("$tpc" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  "$tpc" "$command" --help | grep -q "^  tpc $command" || fail "tpc $command --help has no example"
  checked=$((${checked:-0} + 1))
done
[ "${checked:-0}" -ge 7 ] || fail "tpc --help lists only ${checked:-0} commands"

# What the shells complete.
eval "$("$tpc" completion bash)"
completes() {  # EXPECTED WORDS...
  local expected=$1
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _tpc
  [ "${COMPREPLY[*]}" = "$expected" ] || fail "completing $*: ${COMPREPLY[*]}"
}
completes "explain examples" tpc ex
completes "--grow --gauge" tpc analyze --g
completes "plain" tpc analyze "$program" --gauge p
completes "attention" tpc library at
completes "bash" tpc completion b
cd "$here/command"
completes "small.tp" tpc explain sma
bash -n <("$tpc" completion bash) || fail "the script for bash has mistakes"
for shell in zsh fish; do
  command -v $shell > /dev/null || continue
  "$tpc" completion $shell > "$work/completion"
  $shell -n "$work/completion" || fail "the script for $shell has mistakes"
done

((failures == 0)) && echo "all as promised"
((failures == 0))
