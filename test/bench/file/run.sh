#!/usr/bin/env bash
# The file module beside the tools people trust, on the same trees, the same question and as many
# threads: prints, for each question, the median of interleaved runs, the ratio of theirs to ours
# (above 1: ours is faster) and our largest resident memory. Before a time counts, both must have
# found the same number of files.
#
#   test/bench/file/run.sh [--trees FOLDER] [--large GIB] [--rounds N] [--only WORD] [--cold]
#
# The trees (about 1 GB, and --large, 2 GiB unless told) stay in FOLDER for the next run. --cold
# empties the page cache before each run, which only root may. Peers that are not installed are named
# and left out: apt-get install fd-find ripgrep hashdeep
# shellcheck disable=SC2317 # row calls the functions that it is given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

trees=${TMPDIR:-/tmp}/mig-bench-file large_gb=2 rounds=5 only='' cold=''
while [ $# -gt 0 ]; do
  case $1 in
    --trees) trees=$2; shift 2 ;;
    --large) large_gb=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --cold) cold=yes; shift ;;
    *) echo "$1 is not an option; the beginning of this script says which are" >&2; exit 2 ;;
  esac
done
if [ -n "$cold" ] && ! [ -w /proc/sys/vm/drop_caches ]; then
  echo '--cold needs to write /proc/sys/vm/drop_caches, which only root may' >&2
  exit 2
fi
# shellcheck source=test/bench/file/trees.sh
. test/bench/file/trees.sh

mig=${MIG_BENCH_EXECUTABLE:-$PWD/build/release/mig}
if [ ! -x "$mig" ]; then
  echo "no $mig: cmake --preset release && cmake --build --preset release --target mig" >&2
  exit 2
fi
threads=$(nproc)
for name in small large deep wide; do
  [ -e "$trees/$name.made" ] || echo "making $trees/$name ..." >&2
  mkdir -p "$trees" && make_tree "$name" "tree_$name"
done
work=$(mktemp -d "${TMPDIR:-/tmp}/mig-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

fd=$(command -v fdfind || command -v fd || true)
absent=''
for peer in fdfind:"$fd" rg:"$(command -v rg || true)" hashdeep:"$(command -v hashdeep || true)"; do
  [ -n "${peer#*:}" ] || absent+=" ${peer%%:*}"
done

median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# ours THREADS WORDS …: the module as a person runs it, sandbox and all, at ordinary priority.
ours() {
  local count=$1
  shift
  "$mig" module file --threads "$count" --nice 0 "$@" -matchlimit 0
}
count_ours() { { grep -o '"totalhits":[0-9]*' || true; } | cut -d: -f2; }
count_lines() { wc -l; }

# timed FILE FUNCTION …: milliseconds into FILE, output into $work/out.
timed() {
  local file=$1 began
  shift
  if [ -n "$cold" ]; then sync && echo 3 >/proc/sys/vm/drop_caches; fi
  began=${EPOCHREALTIME/./}
  "$@" >"$work/out" 2>"$work/err" || true # 1 is "nothing found" with some
  echo "$(((${EPOCHREALTIME/./} - began) / 10))e-2" >>"$file"
}

peak_mb() { # of our own process and its threads
  local pid peak=0 now
  "$@" >/dev/null 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    # The function's shell has the module as its child.
    # shellcheck disable=SC2013 # words are wanted
    for now in $(cat /proc/"$pid"/status /proc/"$pid"/task/*/children 2>/dev/null |
      awk '/^VmHWM:/ {print $2} /^[0-9 ]+$/ {for (i = 1; i <= NF; ++i) print "child" $i}'); do
      case $now in child*) now=$(awk '/^VmHWM:/ {print $2}' "/proc/${now#child}/status" 2>/dev/null || true) ;; esac
      [ "${now:-0}" -le "$peak" ] || peak=$now
    done
    sleep 0.01
  done
  wait "$pid" || true
  awk "BEGIN {printf \"%.0f\", $peak / 1024}"
}

printf '%s, %s cores, Linux %s; %s; %s; medians of %s interleaved runs\n\n' \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
  "$("$mig" --version | head -n 1)" "${cold:+cold }${cold:-warm}" "$rounds" | sed 's/cold yes/cold/'
[ -z "$absent" ] || printf 'Not installed and left out:%s\n\n' "$absent"
printf '| question | ours ms | peer | its ms | ratio | our peak MB | found |\n|---|---:|---|---:|---:|---:|---:|\n'

# row TITLE OUR-FUNCTION PEER-NAME PEER-FUNCTION: both print, ours its JSON and the peer what
# count_PEER-FUNCTION (or lines) counts.
row() {
  local title=$1 own=$2 peer=$3 theirs=$4 our_found found counter=count_lines mine other
  case $title in *"$only"*) ;; *) return 0 ;; esac
  if declare -F "count_$theirs" >/dev/null; then counter=count_$theirs; fi
  timed /dev/null "$own"
  our_found=$(count_ours <"$work/out" | paste -sd+ | bc)
  timed /dev/null "$theirs"
  found=$("$counter" <"$work/out")
  if [ "$our_found" != "$found" ]; then
    printf '| %s | found %s | %s | found %s | **not the same** | | |\n' "$title" "$our_found" "$peer" "$found"
    return 0
  fi
  rm -f "$work/own" "$work/theirs"
  for _ in $(seq "$rounds"); do
    timed "$work/own" "$own"
    timed "$work/theirs" "$theirs"
  done
  mine=$(median <"$work/own") other=$(median <"$work/theirs")
  awk -v t="$title" -v m="$mine" -v p="$peer" -v o="$other" -v k="$(peak_mb "$own")" -v f="$found" \
    'BEGIN {printf "| %s | %.0f | %s | %.0f | %.2f | %s | %s |\n", t, m, p, o, o / m, k, f}'
}
have() { command -v "$1" >/dev/null; }

small=$trees/small large=$trees/large

# By name. find has one thread, so ours has one beside it.
name1() { ours 1 -path "$1" -name "$2"; }
nameN() { ours "$threads" -path "$1" -name "$2"; }
for tree in small deep wide; do
  case $tree in
    small) re='77\.txt$' glob='*77.txt' ;;
    deep) re='^wanted\.log$' glob=wanted.log ;;
    wide) re='77$' glob='*77' ;;
  esac
  eval "own1() { name1 $trees/$tree '$re'; }; ownN() { nameN $trees/$tree '$re'; }"
  eval "with_find() { find $trees/$tree -type f -name '$glob'; }"
  eval "with_fd() { $fd -uu -j $threads -t f '$re' $trees/$tree; }"
  row "name, $tree" own1 find with_find
  [ -z "$fd" ] || row "name, $tree, $threads threads" ownN fd with_fd
done
own1() { ours 1 -path "$small" -name .; }
ownN() { ours "$threads" -path "$small" -name .; }
with_find() { find "$small" -type f -name '*'; }
with_fd() { "$fd" -uu -j "$threads" -t f . "$small"; }
row 'name, 200,000 matches' own1 find with_find
[ -z "$fd" ] || row "name, 200,000 matches, $threads threads" ownN fd with_fd

# By metadata.
own1() { ours 1 -path "$small" -size '>2k' -mode '^-rw-r--r--$' -mtime '<3650d' -name 'conf$'; }
with_find() { find "$small" -type f -name '*conf' -size +2047c -perm 644 -mtime -3650; }
row 'name, size, mode, mtime' own1 find with_find
own1() { ours 1 -path "$small" -size '>3k'; }
with_find() { find "$small" -type f -size +3071c; }
row 'size alone' own1 find with_find

# By content.
content() {
  local title=$1 tree=$2 pattern=$3
  eval "own1() { ours 1 -path $tree -content '$pattern'; }; ownN() { ours $threads -path $tree -content '$pattern'; }"
  eval "with_rg() { rg -uuu -a -l -j $threads '$pattern' $tree; }"
  eval "with_grep() { LC_ALL=C grep -r -a -l -E '$pattern' $tree; }"
  ! have rg || row "content, $title, $threads threads" ownN ripgrep with_rg
  row "content, $title" own1 grep with_grep
}
content 'literal, small' "$small" NeedleInHaystack
content 'regex without literal, small' "$small" '[A-Z][a-z]+[A-Z][a-z]+[A-Z]'
content 'literal, large' "$large" NeedleInHaystack

# By digest: one file of the tree is the one.
sha256_of() { sha256sum "$1" | cut -d' ' -f1; }
digest() {
  local tree=$1 one=$2 sha256
  sha256=$(sha256_of "$one")
  eval "ownN() { ours $threads -path $tree -sha2 $sha256; }; count_hashes() { grep -c $sha256 || true; }"
  eval "with_hashdeep() { hashdeep -c sha256 -r -j $threads $tree; }; with_sums() { find $tree -type f -print0 | xargs -0 -P $threads -n $3 sha256sum; }; with_openssl() { find $tree -type f -print0 | xargs -0 -P $threads -n $3 openssl dgst -sha256; }"
  count_with_hashdeep() { count_hashes; }
  count_with_sums() { count_hashes; }
  count_with_openssl() { count_hashes; }
  ! have hashdeep || row "sha256, ${tree##*/}, $threads threads" ownN hashdeep with_hashdeep
  row "sha256, ${tree##*/}, $threads threads" ownN "sha256sum, xargs -P $threads" with_sums
  row "sha256, ${tree##*/}, $threads threads" ownN "openssl dgst, xargs -P $threads" with_openssl
}
digest "$small" "$small/d0007/file-000007.conf" 500
digest "$large" "$large/noise-2" 1

# The question that MIG promised to answer within two minutes: one digest among all files, many small
# ones and some GB of large ones (--large 10 for as many as the promise had).
everything() {
  local sha256
  sha256=$(sha256_of "$large/noise-2")
  eval "ownN() { ours $threads -path $small -path $large -sha2 $sha256; }; count_hashes() { grep -c $sha256 || true; }"
  with_hashdeep() { hashdeep -c sha256 -r -j "$threads" "$small" "$large"; }
  with_sums() { find "$small" "$large" -type f -print0 | xargs -0 -P "$threads" -n 500 sha256sum; }
  ! have hashdeep || row "sha256 among 200,000 files and $large_gb GiB, $threads threads" ownN hashdeep with_hashdeep
  row "sha256 among 200,000 files and $large_gb GiB, $threads threads" ownN "sha256sum, xargs -P $threads" with_sums
}
everything

# Ten questions at once, and one after the other.
patterns=(NeedleInHaystack 'xyzzy[0-9]' 'foo.*bar42' '^qqq' 'zzzz9$' 'Password' 'BEGIN RSA' 'eval\(' '0x[0-9a-f]{16}' '192\.168\.')
at_once() {
  local words=() pattern number=0
  for pattern in "${patterns[@]}"; do
    words+=(-label "p$((number++))" -path "$small" -matchlimit 0 -content "$pattern")
  done
  "$mig" module file --threads "$threads" --nice 0 "${words[@]}"
}
one_by_one() {
  local pattern
  for pattern in "${patterns[@]}"; do ours "$threads" -path "$small" -content "$pattern"; done
}
count_one_by_one() { count_ours | paste -sd+ | bc; }
row 'ten contents at once' at_once 'ours, ten runs' one_by_one

# A hundred words that are nowhere, as from a list of indicators.
awk 'BEGIN {
  srand(3)
  for (n = 0; n < 100; ++n) {
    word = ""
    for (c = 6 + int(rand() * 9); c > 0; --c) word = word substr("abcdefghijklmnopqrstuvwxyz0123456789_", 1 + int(rand() * 37), 1)
    print word
  }
}' >"$work/words"
hundred() {
  local words=() word
  while read -r word; do words+=(-content "$word"); done <"$work/words"
  ours "$threads" -path "$1" -matchany "${words[@]}"
}
for tree in small large; do
  eval "ownN() { hundred $trees/$tree; }; with_rg() { rg -uuu -a -l -j $threads -f $work/words $trees/$tree; }"
  ! have rg || row "a hundred contents at once, $tree, $threads threads" ownN ripgrep with_rg
done
