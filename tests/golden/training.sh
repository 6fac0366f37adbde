#!/usr/bin/env bash
# What may happen to a training: it is killed, interrupted, its disk is full, its checkpoint is broken.  It goes on as if
# nothing had been, or says in one sentence why not, and the last good checkpoint stays.
#
#     training.sh TPC [sanitized]     says what is not so; a sanitizer's process takes longer
set -uo pipefail
export LC_ALL=C
tpc=$(realpath "$1") sanitized=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/training" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
RANDOM=1

steps=1500 kills=20
[ -z "$sanitized" ] || steps=60 kills=5
letters=("$tpc" train "$here/letters.tp" --backend interpreter --data "$here/rhyme.txt" --lr 0.03 --batch 4 --seed 3)
long=("${letters[@]}" --steps $steps --evaluate-every 10 --checkpoint-every 1)

# Killed at any moment, twenty times, it ends with the bits of one that was not.
"${long[@]}" -o whole 2> /dev/null || fail "a training fails"
for ((i = 0; i < kills; ++i)); do
  "${long[@]}" -o killed --resume 2> said &
  process=$!
  sleep "0.$(printf '%03d' $((80 + RANDOM % 120)))"
  kill -9 $process 2> /dev/null && killed=$((${killed:-0} + 1))
  wait $process 2> /dev/null
  grep -q "error\|cannot" said && fail "killed and resumed, it says: $(cat said)"
done
[ "${killed:-0}" -ge $((kills / 2)) ] || fail "only ${killed:-0} of $kills trainings were killed at work"
"${long[@]}" -o killed --resume 2> said || fail "after the kills it does not end: $(cat said)"
for file in last.safetensors best.safetensors; do
  cmp -s whole/$file killed/$file || fail "$file differs after kills"
done
diff <(sed 's/,"seconds".*//' whole/log.jsonl) <(sed 's/,"seconds".*//' killed/log.jsonl) > /dev/null || fail "the log differs after kills"
left=$(ls -A killed | grep -v 'safetensors$\|log.jsonl\|tfevents')
[ -z "$left" ] || fail "kills left $left"

# Compiled code likewise, on one thread and on two.
compiled=("$tpc" train "$here/letters.tp" --data "$here/rhyme.txt" --lr 0.03 --batch 4 --seed 3 --steps 300 --evaluate-every 20)
"${compiled[@]}" --threads 1 -o compiled.whole 2> said || fail "compiled code: $(cat said)"
"${compiled[@]}" --threads 2 -o compiled.parted 2> said &
process=$!
for ((wait = 0; wait < 200; ++wait)); do grep -q "^step 20" said && break; sleep 0.05; done
kill -9 $process 2> /dev/null
wait $process 2> /dev/null
"${compiled[@]}" --threads 2 -o compiled.parted --resume 2> said || fail "compiled code, resumed: $(cat said)"
cmp -s compiled.whole/last.safetensors compiled.parted/last.safetensors || fail "compiled code: other bits when resumed"

# Asked to stop, it writes its checkpoint and leaves by the promised code.
for pair in INT:130 TERM:143 HUP:129; do
  signal=${pair%:*} code=${pair#*:}
  env --default-signal=$signal "${letters[@]}" --steps 1000000 --evaluate-every 1000000 -o stopped.$signal 2> said &
  process=$!
  for ((wait = 0; wait < 100; ++wait)); do grep -q steps: said && break; sleep 0.05; done
  sleep 0.3
  # One process at a time writes a folder.
  "${letters[@]}" --steps 5 -o stopped.$signal 2> second && fail "two trainings write one folder"
  grep -q "another training writes the folder" second || fail "the second training says: $(cat second)"
  kill -$signal $process
  wait $process
  actual=$?
  [ $actual = $code ] || fail "$signal: exit code $actual instead of $code"
  grep -q "stopped in step .*--resume goes on from stopped.$signal/last.safetensors" said || fail "$signal: says $(tail -1 said)"
  at=$(sed 's/.*stopped in step \([0-9]*\);.*/\1/;t;d' said)
  "${letters[@]}" --steps $((at + 2)) -o stopped.$signal --resume 2> said || fail "$signal: does not go on: $(cat said)"
  grep -q "going on from step $at of" said || fail "$signal: goes on with: $(cat said)"
done

# A disk that is full while it writes: exit code 4, a sentence, and the checkpoint of before.
"${letters[@]}" --steps 20 -o full 2> /dev/null
cp full/last.safetensors before
for blocks in 1 8 20; do
  (ulimit -f $blocks; "${letters[@]}" --steps 40 -o full --resume 2> said)
  code=$?
  [ $code = 4 ] || fail "a full disk: exit code $code, saying $(cat said)"
  grep -q "cannot write full/.*: File too large" said || fail "a full disk: says $(cat said)"
  cmp -s before full/last.safetensors || fail "a full disk changed the checkpoint"
done
[ -z "$(ls -A full | grep part)" ] || fail "a full disk left $(ls -A full)"

# A checkpoint that is truncated, foreign or malicious.
broken() {  # WHAT TEXT
  cp full/last.safetensors broken.before
  "${letters[@]}" --steps 40 -o full --resume 2> said
  code=$?
  [ $code = 3 ] || fail "$1: exit code $code, saying $(cat said)"
  grep -q "$2" said || fail "$1: says $(cat said)"
  [ "$(grep -c . said)" -le 2 ] || fail "$1: says more than a sentence and a help: $(cat said)"
  cmp -s broken.before full/last.safetensors || fail "$1: the file was changed"
  cp before full/last.safetensors
}
head -c 4000 before > full/last.safetensors
broken "a truncated checkpoint" "TPC0510"
head -c 100000 /dev/urandom > full/last.safetensors
broken "noise" "TPC0510"
printf '\377\377\377\377\377\377\377\177{}' > full/last.safetensors
broken "a header of eight exabytes" "TPC0510"
{ printf '\002\0\0\0\0\0\0\0{}'; } > full/last.safetensors
broken "somebody else's" "no checkpoint of tpc"
cp whole/last.safetensors full/last.safetensors
"$tpc" train "$here/letters.tp" --backend interpreter -D n=32 --data "$here/rhyme.txt" --lr 0.03 --batch 4 -o full --resume 2> said
[ $? = 3 ] && grep -q "TPC0511.*is \[.*\] in the program and \[.*\] in" said || fail "another width: says $(cat said)"

# What a terminal sees, and a pipe does not.
on_terminal() { TERM=xterm script -qefc "$*" /dev/null < /dev/null; }
seen=$(on_terminal "$tpc train $here/letters.tp --backend interpreter --data $here/rhyme.txt --lr 0.03 --batch 4 --steps 300 -o seen")
[[ $seen == *"eta 0:0"* && $seen == *"bytes/s"* ]] || fail "a terminal sees no progress: $seen"
"${letters[@]}" --steps 30 -o unseen 2> said
grep -q "eta" said && fail "progress in a pipe"

((failures == 0)) && echo "all as promised"
((failures == 0))
