#!/bin/sh
# The wheel for platforms that bring Spark and Delta themselves (Databricks, Dataproc): the same code, version and entry
# points, but it does not require pyspark and delta-spark, which pip would install over the platform's own. Of packages
# that the runtimes bring too, it accepts theirs: ranges instead of pins. They begin at what Databricks 17.3 LTS and its
# serverless environment 4 have (docs/platforms.md), and end before the next major version after our pin. statsmodels
# stays pinned: `report` needs 0.15, and those runtimes have 0.14.4.
#
#   use:       conf/deploy/platform_wheel.sh [FOLDER]      (default dist; prints the wheel's path)
#              with the Python of `make setup`, else python3, which then needs pip; PYTHON=… names another
#   validate:  make test-deploy   (tests/deploy/test_platform_wheel.py builds it, reads its metadata, and lets pip install
#              it with the packages of that runtime)
set -eu
out=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cd "$root"
# A system's own python3 is often without pip.
python=${PYTHON:-python3}
[ -n "${PYTHON:-}" ] || [ ! -x .venv/bin/python ] || python=.venv/bin/python
mkdir "$copy/jars" "$copy/conf"
cp -R main.py pipeline jobs pyproject.toml README.md LICENSE "$copy"
cp jars/coordinates.toml jars/ivysettings.xml "$copy/jars"
cp conf/local.toml "$copy/conf"
sed -e '/^ *"pyspark==/d' -e '/^ *"delta-spark==/d' -e 's/^version = "\(.*\)"/version = "\1+platform"/' \
    -e 's/"pyarrow==[^"]*"/"pyarrow>=19.0.1,<27"/' \
    -e 's/"rich==[^"]*"/"rich>=13.9.4,<16"/' \
    -e 's/"prometheus-client==[^"]*"/"prometheus-client>=0.21,<1"/' \
    -e 's/"Jinja2==[^"]*"/"Jinja2>=3.1.5,<4"/' \
    -e 's/"matplotlib==[^"]*"/"matplotlib>=3.10,<4"/' \
    pyproject.toml >"$copy/pyproject.toml"
rm -f "$out"/meterlake-*+platform-*.whl
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$out" "$copy"
ls "$out"/meterlake-*+platform-*.whl
