#!/bin/sh
# Applies the patches and runs the suite once for each hash seed. Runs in a fresh container
# without network; everything it learns goes to $OUT, the words to standard output.
set -u
# Through one stream: from two, the engine would hand the lines over in any order.
exec 2>&1
IN=/patchmark/in OUT=/patchmark/out
cd /repo || exit 70
for name in model test; do
  if [ -s "$IN/$name.diff" ]; then
    if ! git apply --whitespace=nowarn "$IN/$name.diff" > "$OUT/apply-$name.txt" 2>&1; then
      cat "$OUT/apply-$name.txt"
      echo "$name" > "$OUT/rejected"
      exit 71
    fi
  fi
done
case $SEEDS in
  *' '*)
    # So that cleaning between the runs keeps what the patches brought.
    git add -A -f && git commit -q --no-verify --allow-empty -m patched || exit 72 ;;
esac
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TZ=UTC LC_ALL=C.UTF-8 LANG=C.UTF-8
export HOME=/home/patchmark CI=1
for seed in $SEEDS; do
  if [ -e "$OUT/ran" ]; then
    # Files that one run leaves behind must not decide the next one.
    git checkout -qf . && git clean -qfd > /dev/null 2>&1
    rm -rf .pytest_cache  # not cleaned by git, for it ignores itself
  fi
  : > "$OUT/ran"
  export PYTHONHASHSEED="$seed" PATCHMARK_RESULTS="$OUT/results-$seed.jsonl"
  sh "$IN/command.sh"
  echo "$?" > "$OUT/exit-$seed"
done
exit 0
