#!/bin/sh
# Fuzzes one target for MIG_FUZZ_SECONDS (default 5), starting from its corpus:
#   smoke.sh EXECUTABLE CORPUS
# What it learns stays beside the executable and is used next time; an input that breaks it is left
# there too, as EXECUTABLE.broken-by-…: repair the fault, then add the input to the corpus.
set -eu
if [ -z "$(ls -A "$2" 2>/dev/null)" ]; then
  echo "fuzz: the corpus $2 is missing or empty: add a few small seeds" >&2
  exit 1
fi
mkdir -p "$1.learnt"
exec "$1" -max_total_time="${MIG_FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=2048 \
  -verbosity=0 -print_final_stats=1 -artifact_prefix="$1.broken-by-" "$1.learnt" "$2"
