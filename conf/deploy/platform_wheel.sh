#!/bin/sh
# The wheel for platforms that bring Spark and Delta themselves (Databricks, Dataproc): the same code, version and entry
# points, but without requiring pyspark and delta-spark, which pip would install over the platform's own.
#
#   use:       conf/deploy/platform_wheel.sh [FOLDER]      (default dist; prints the wheel's path)
#   validate:  make test-deploy   (tests/deploy/test_platform_wheel.py builds it and reads its metadata)
set -eu
out=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cd "$root"
mkdir "$copy/jars" "$copy/conf"
cp -R main.py pipeline jobs pyproject.toml README.md LICENSE "$copy"
cp jars/coordinates.toml jars/ivysettings.xml "$copy/jars"
cp conf/local.toml "$copy/conf"
sed -e '/^ *"pyspark==/d' -e '/^ *"delta-spark==/d' -e 's/^version = "\(.*\)"/version = "\1+platform"/' \
    pyproject.toml >"$copy/pyproject.toml"
rm -f "$out"/meterlake-*+platform-*.whl
"${PYTHON:-python3}" -m pip wheel --quiet --no-deps --wheel-dir "$out" "$copy"
ls "$out"/meterlake-*+platform-*.whl
