#!/usr/bin/env bash
# Writes the pinned requirements anew, and what settings.sh has to know of them. Needs `uv`.
#
# To go to other versions, change them here and in settings.sh. When pex changes, the next ./pants
# refuses the tool that it built and prints its checksum, to be written into settings.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=build-support/bootstrap/settings.sh
source ./settings.sh

# Write $1.txt, pinned with hashes for all systems and for every Python that Pants runs on.
pin() {
  local name=$1
  shift
  printf '%s\n' "$@" | uv pip compile --quiet --universal --python-version 3.7 --no-annotate \
    --generate-hashes --custom-compile-command build-support/bootstrap/renew.sh \
    --output-file "$name.txt" -
}

# The newest pip for Python 3.7. With setuptools and wheel it builds what has no wheel for a system.
pin installer pip==24.0 setuptools==63.4.3 wheel==0.42.0
pin pants "pantsbuild.pants==$BOOTSTRAP_PANTS_VERSION ; python_version < '3.10'"
pin pex "pex==$BOOTSTRAP_PEX_VERSION"

digest="$(cat installer.txt pants.txt pex.txt | python3 -c '
import hashlib, sys
print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])')"
sed -i.old "s/^BOOTSTRAP_DIGEST=.*/BOOTSTRAP_DIGEST=$digest/" settings.sh
rm settings.sh.old
