#!/bin/sh
# Installed as .venv/bin/meterlake by `make setup`: the command line of this checkout, from any folder. A link to it works
# too (ln -s /where/it/is/.venv/bin/meterlake ~/.local/bin/), and the checkout may be moved.
bin=$(dirname "$(readlink -f "$0")")
# -P: the working folder is no place for modules of ours, whatever lies there.
exec "$bin/python" -P -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
sys.argv[0] = "meterlake"
import main
main.entry()
' "$(readlink -f "$bin/../..")" "$@"
