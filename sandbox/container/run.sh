#!/bin/sh
# Applies the patches and runs the suite. Runs in a fresh container without network; everything
# it learns goes to $OUT, the words to standard output.
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
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/home/patchmark
for note in resolved.txt toolchain.txt; do
  if [ -e "/opt/patchmark/$note" ]; then cp "/opt/patchmark/$note" "$OUT/"; fi
done
export PATCHMARK_RESULTS="$OUT/results"
sh "$IN/command.sh"
echo "$?" > "$OUT/exit"
exit 0
