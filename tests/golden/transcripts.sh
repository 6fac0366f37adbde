#!/usr/bin/env bash
# Transcripts: a command, and what it prints.
#
#     $ tpc explain mlp.tp h
#     h in n: init n^0, ...
#     ...
#     [exit 3]
#
# A line that starts with `$ ` is run by bash in the transcript's folder, with this build's tpc in the path; the lines
# after it are what it prints to both outputs.  `...` alone on a line stands for any lines.  A last line [exit N] is
# there where N is not 0.  $WORK is a folder for what commands leave behind; it starts empty for each transcript, and
# `cd $WORK; tpc train ~-/small.tp` comes from the transcript's folder.  In a .md file transcripts stand between ``` lines, and a block without a command is no transcript.
#
#     transcripts.sh check TPC FILE...     fails where a transcript differs, and shows how
#     transcripts.sh bless TPC [FILE...]   rewrites what differs; without files all of the repository's
set -uo pipefail
export LC_ALL=C NO_COLOR=1
mode=$1 tpc=$(realpath "$2")
shift 2
PATH=$(dirname "$tpc"):$PATH
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
failures=0
scratch=$(mktemp -d) && export WORK=$scratch
trap 'rm -rf "$scratch"' EXIT

# Whether the lines of expected fit those of actual; a `...` takes any number of lines.
fits() {
  local e=0 a=0 dots=-1 resume=0
  while ((a < ${#actual[@]})); do
    if ((e < ${#expected[@]})) && [[ ${expected[e]} == "..." ]]; then
      dots=$e resume=$a e=$((e + 1))
    elif ((e < ${#expected[@]})) && [[ ${expected[e]} == "${actual[a]}" ]]; then
      e=$((e + 1)) a=$((a + 1))
    elif ((dots >= 0)); then
      e=$((dots + 1)) resume=$((resume + 1)) a=$resume
    else
      return 1
    fi
  done
  while ((e < ${#expected[@]})) && [[ ${expected[e]} == "..." ]]; do e=$((e + 1)); done
  ((e == ${#expected[@]}))
}

# Runs the command at hand, holds its output against `expected`, appends to `rewritten` what the transcript should say.
finish_command() {
  [ -n "$command" ] || return 0
  local output code
  output=$(cd "$folder" && timeout 60 bash -c "$command" 2>&1 < /dev/null)
  code=$?
  mapfile -t actual <<< "$output"
  [ -n "$output" ] || actual=()
  [ "$code" = 0 ] || actual+=("[exit $code]")
  # Empty lines before the next command or the end are the transcript's own.
  local trailing=()
  while ((${#expected[@]} > 0)) && [[ -z ${expected[-1]} ]]; do trailing+=(""); unset 'expected[-1]'; done
  while ((${#actual[@]} > 0)) && [[ -z ${actual[-1]} ]]; do unset 'actual[-1]'; done
  if fits; then
    rewritten+=("${expected[@]}")
  else
    differs=1
    rewritten+=("${actual[@]}")
    if [ "$mode" = check ]; then
      echo "$file: \$ $command"
      diff <(printf '%s\n' "${expected[@]}") <(printf '%s\n' "${actual[@]}") | sed 's/^</expected:/; s/^>/  prints:/'
    fi
  fi
  rewritten+=("${trailing[@]}")
  command=""
}

transcript() {
  rm -rf "$scratch"; mkdir "$scratch"
  file=$1 folder=$(dirname "$1") command="" differs=0
  expected=() rewritten=()
  local fenced=1 markdown=0 line
  [[ $file == *.md ]] && markdown=1 fenced=0
  while IFS= read -r line || [ -n "$line" ]; do
    if ((markdown)) && [[ $line == '```'* ]]; then
      finish_command
      fenced=$((1 - fenced)) rewritten+=("$line")
    elif ((fenced)) && [[ $line == '$ '* ]]; then
      finish_command
      command=${line#'$ '} expected=() rewritten+=("$line")
    elif [ -n "$command" ]; then
      expected+=("$line")
    else
      rewritten+=("$line")
    fi
  done < "$file"
  finish_command
  ((differs)) || return 0
  if [ "$mode" = bless ]; then
    printf '%s\n' "${rewritten[@]}" > "$file"
    echo "rewritten: $file"
  else
    failures=$((failures + 1))
  fi
}

if [ $# = 0 ]; then
  mapfile -t files < <(find "$root/tests/golden" "$root/tests/programs" "$root/examples" -name '*.transcript' | sort)
  for page in "$root/README.md" "$root"/examples/*.md; do [ -f "$page" ] && files+=("$page"); done
  set -- "${files[@]}"
fi
for each in "$@"; do transcript "$each"; done
((failures == 0))
