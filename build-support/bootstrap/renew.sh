#!/usr/bin/env bash
# Writes the pinned requirements from scratch, and what settings.sh has to know of them. Needs `uv`.
#
# To go to other versions, change them here and in settings.sh. When pex changes, the next ./pants
# refuses the tool that it built and prints its checksum, to be written into settings.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=build-support/bootstrap/settings.sh
source ./settings.sh

# Write the file $1.txt with the requirements on standard input, pinned with hashes for all systems
# and for Python $2 and newer. The remaining arguments are options of uv.
pin() {
  uv pip compile - --quiet --universal --no-annotate --generate-hashes \
    --custom-compile-command build-support/bootstrap/renew.sh \
    --output-file "$1.txt" --python-version "$2" "${@:3}"
}

# Print what Pants depends on, one requirement per line.
#
# Its own pins have no wheels for Python 3.11, or do not work on it: these here replace them.
# setuptools 67.3 and newer print a warning about `pkg_resources` at every start.
pants_dependencies() {
  printf '%s\n' ijson==3.5.1 "pex==$BOOTSTRAP_PEX_VERSION" psutil==7.2.2 setproctitle==1.3.6 \
    setuptools==67.2.0 >overrides.txt
  uv pip compile --quiet --python-version 3.9 --override overrides.txt --no-header --no-annotate \
    --no-emit-package pantsbuild-pants - <<<"pantsbuild.pants==$BOOTSTRAP_PANTS_VERSION"
  rm overrides.txt
}

pin installer 3.11 <<<"pip==26.3"
pants_dependencies | pin pants 3.11 --no-deps
# Pants itself, and what its plugins are tested with. Their metadata admits nothing newer than 3.9.
printf "%s==$BOOTSTRAP_PANTS_VERSION\n" pantsbuild.pants pantsbuild.pants.testutil |
  pin engine 3.9 --no-deps
pin pex 3.11 <<<"pex==$BOOTSTRAP_PEX_VERSION"

digest="$(cat installer.txt pants.txt engine.txt pex.txt | python3 -c '
import hashlib, sys
print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])')"
sed -i.old "s/^BOOTSTRAP_DIGEST=.*/BOOTSTRAP_DIGEST=$digest/" settings.sh
rm settings.sh.old
