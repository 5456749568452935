#!/usr/bin/env bash
# What Pants' native client starts when no daemon runs, and when it has failed itself.
here="${BASH_SOURCE[0]%/*}"
# Pants starts its daemon by the same path, from another folder.
[[ $here == /* ]] || here="$PWD/$here"
exec "$BOOTSTRAP_MADE/venv/bin/python" "$here/start_pants.py" "$@"
