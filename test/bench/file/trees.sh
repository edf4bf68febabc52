# shellcheck shell=bash
# The trees that run.sh searches, the same bytes on every machine (sourced, not run). A tree that is
# there already is used as it is: its folder holds a file `made` beside it.

# make_tree NAME FUNCTION: into $trees/NAME.
make_tree() {
  local tree=$trees/$1
  [ ! -e "$tree.made" ] || return 0
  rm -rf "$tree" && mkdir -p "$tree" && "$2" "$tree" && : >"$tree.made"
}

# 200,000 files in 2,000 folders, 0.2 to 4 KB of words each; every thousandth has a needle.
tree_small() {
  seq -f "$1/d%04g" 0 1999 | xargs mkdir
  awk -v tree="$1" 'BEGIN {
    srand(1)
    for (w = 0; w < 500; ++w) {
      word[w] = ""
      for (c = 3 + int(rand() * 7); c > 0; --c) word[w] = word[w] sprintf("%c", 97 + int(rand() * 26))
    }
    for (n = 0; n < 200000; ++n) {
      file = sprintf("%s/d%04d/file-%06d.%s", tree, n % 2000, n, n % 7 ? "txt" : "conf")
      for (line = 3 + int(rand() * 60); line > 0; --line) {
        text = ""
        for (w = 1 + int(rand() * 12); w > 0; --w) text = text word[int(rand() * 500)] " "
        print text >file
      }
      if (n % 1000 == 7) print "here is NeedleInHaystack number 4711" >file
      close(file)
    }
  }'
}

# $large_gb GiB in files of 256 MiB of noise, which no tool can skip; one has a needle at its end.
tree_large() {
  local number
  for number in $(seq $((large_gb * 4))); do
    head -c $((256 << 20)) /dev/zero |
      openssl enc -aes-128-ctr -nosalt -K 00 -iv "$(printf '%032d' "$number")" 2>/dev/null >"$1/noise-$number" ||
      return
  done
  printf '\nhere is NeedleInHaystack number 4711\n' >>"$1/noise-1"
}

# Twenty chains of 500 folders, each in the one before, four files in each.
tree_deep() {
  local chain path
  path=$(printf 'd/%.0s' $(seq 500))
  for chain in $(seq 20); do mkdir -p "$1/$chain/$path"; done
  find "$1" -type d -name d -exec sh -c 'for folder; do : >"$folder/a"; : >"$folder/b"; : >"$folder/c"; : >"$folder/wanted.log"; done' sh {} +
}

# One folder of 200,000 empty files.
tree_wide() { (cd "$1" && seq -f 'entry-%06g' 200000 | xargs touch); }
