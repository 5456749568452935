# shellcheck shell=bash
# Finds the Pants that is set up for this repository, and has it set up where there is none.
#
# Sourced by ./pants at every start: it starts no process as long as all is well. Works with bash
# 3.2, the one of macOS. What set_up.sh makes is outside of the repository:
#
#   <cache>/pants-2.17.1-pex-2.105.2-<digests>-<system>/py311.XXXXXX/
#     venv/       the virtual environment that holds Pants
#     types/      a link to the package `pants` alone, for the type checker
#     pex         the `pex` command line tool as one file, which Pants would otherwise download
#     index       what pip knows of the package index
#     finished    written last: a folder without it is a half-made one
#
# build-support/maintaining/decisions/pants-version.md says why.

BOOTSTRAP_PANTS_VERSION=2.17.1
BOOTSTRAP_PEX_VERSION=2.105.2

# The first digits of the sha256 of installer.txt, pants.txt, engine.txt and pex.txt. They are
# written here so that a start need not compute them; a test compares them, renew.sh writes them.
BOOTSTRAP_DIGEST=2d4e9bc5afee21be

# The built pex tool is the same on every system and with both Pythons.
BOOTSTRAP_PEX_SHA256=dbd0ed08a77c5731f134aa249b5796cb2cdd5ca5e806bb1e5145f49558efdf90
BOOTSTRAP_PEX_BYTES=17380395

# Pants runs on these, best first.
BOOTSTRAP_PYTHONS="3.11 3.12"

BOOTSTRAP_SCRIPTS="${BASH_SOURCE[0]%/*}"

bootstrap_say() {
  printf 'pants: %s\n' "$*" >&2
}

# Set BOOTSTRAP_FOLDER to the folder in which everything of these versions is made.
bootstrap_folder() {
  local cache="${XDG_CACHE_HOME:-${HOME:-}/.cache}/pants-from-index"
  cache="${PANTS_BOOTSTRAP_CACHE_DIR:-$cache}"
  [[ $cache == /* ]] || cache="$PWD/$cache"
  # Without the version of the system: an update of macOS must not cost a new setup.
  BOOTSTRAP_FOLDER="$cache/pants-$BOOTSTRAP_PANTS_VERSION-pex-$BOOTSTRAP_PEX_VERSION"
  BOOTSTRAP_FOLDER="$BOOTSTRAP_FOLDER-$BOOTSTRAP_DIGEST-${BOOTSTRAP_PEX_SHA256:0:8}"
  BOOTSTRAP_FOLDER="$BOOTSTRAP_FOLDER-${OSTYPE%%[0-9]*}-$HOSTTYPE"
}

# Set BOOTSTRAP_VALUE to what the file $1 says of $2; empty when it says nothing.
bootstrap_read() {
  local line
  BOOTSTRAP_VALUE=""
  while IFS= read -r line; do
    if [[ $line == "$2="* ]]; then
      BOOTSTRAP_VALUE="${line#*=}"
      return
    fi
  done <"$1"
}

# Whether the folder $1 was finished and still has what it needs. A missing venv/bin/python is the
# commonest damage: it links to a Python that was since removed.
bootstrap_whole() {
  [[ -f $1/finished && -f $1/index && -s $1/pex && -x $1/venv/bin/python ]] || return 1
  bootstrap_read "$1/finished" native_client
  [[ -x $1/$BOOTSTRAP_VALUE && -x $1/venv/bin/pants ]]
}

# Set BOOTSTRAP_MADE to a whole folder; fail when there is none.
bootstrap_look() {
  local version folder
  for version in $BOOTSTRAP_PYTHONS; do
    for folder in "$BOOTSTRAP_FOLDER/py${version/./}".*; do
      bootstrap_whole "$folder" || continue
      if [[ -n ${PANTS_BOOTSTRAP_PYTHON:-} ]]; then
        bootstrap_read "$folder/finished" interpreter
        [[ $BOOTSTRAP_VALUE == "$PANTS_BOOTSTRAP_PYTHON" ]] || continue
      fi
      BOOTSTRAP_MADE=$folder
      return 0
    done
  done
  return 1
}

# Set BOOTSTRAP_ASKED to what the environment says of the package index, without a password.
bootstrap_asked() {
  local url="${PIP_INDEX_URL:-}"
  [[ $url != *@* ]] || url="${url%%://*}://***@${url##*@}"
  BOOTSTRAP_ASKED="$url ${PIP_CONFIG_FILE:-}"
}

# Whether pip is still configured as it was when the file `index` in $BOOTSTRAP_MADE was written.
bootstrap_index_holds() {
  local file
  bootstrap_asked
  bootstrap_read "$BOOTSTRAP_MADE/index" asked
  [[ $BOOTSTRAP_VALUE == "$BOOTSTRAP_ASKED" ]] || return 1
  for file in "${PIP_CONFIG_FILE:-}" "${XDG_CONFIG_HOME:-${HOME:-}/.config}/pip/pip.conf" \
    /etc/pip.conf ~/.pip/pip.conf ~/"Library/Application Support/pip/pip.conf"; do
    [[ ! -f $file || ! $file -nt $BOOTSTRAP_MADE/index ]] || return 1
  done
}

# Set BOOTSTRAP_MADE to the folder in which Pants is set up, which is made now if need be.
bootstrap_ensure() {
  bootstrap_folder
  if ! bootstrap_look; then
    "$BASH" "$BOOTSTRAP_SCRIPTS/set_up.sh" || exit
    bootstrap_look || {
      bootstrap_say "the setup in $BOOTSTRAP_FOLDER is not usable; delete that folder and try again"
      exit 1
    }
  fi
  bootstrap_index_holds || "$BASH" "$BOOTSTRAP_SCRIPTS/set_up.sh" index "$BOOTSTRAP_MADE"
}

# Exit when this account cannot write where Pants must, in the checkout $1: else Pants would show a
# traceback.
bootstrap_check_checkout() {
  local path
  for path in "${PANTS_WORKDIR:-$1/.pants.d}"{,/pants.log} "${PANTS_SUBPROCESSDIR:-$1/.pids}"{,/*}; do
    [[ -e $path ]] || path="${path%/*}"
    [[ -e $path && ! -w $path ]] || continue
    [[ $path != . ]] || path=$PWD
    bootstrap_say "$path: this account cannot write here, as Pants must; make it writable, or name" \
      "other folders in PANTS_WORKDIR and PANTS_SUBPROCESSDIR."
    exit 2
  done
}

# Set BOOTSTRAP_PLAIN to a path of the pex tool that can stand in a URL. Pants takes the path
# from the URL as it is written there, so nothing can be escaped: an unusual path is reached by a
# link. Pants verifies what it reads through it against the checksum.
bootstrap_plain_path() {
  # Written out, because what a range like a-z holds depends on the locale.
  local plain="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-"
  BOOTSTRAP_PLAIN="$BOOTSTRAP_MADE/pex"
  if [[ $BOOTSTRAP_PLAIN == *[!$plain]* ]]; then
    BOOTSTRAP_PLAIN="/tmp/pants-from-index-$UID-${BOOTSTRAP_MADE##*/}"
    [[ $BOOTSTRAP_PLAIN -ef $BOOTSTRAP_MADE/pex ]] ||
      ln -sf -- "$BOOTSTRAP_MADE/pex" "$BOOTSTRAP_PLAIN"
  fi
}

# Export what Pants needs to know of this machine. What the user has set stays.
bootstrap_export() {
  local file platform known=""
  export BOOTSTRAP_MADE
  if [[ -z ${PANTS_PEX_CLI_VERSION:-} ]]; then
    bootstrap_plain_path
    for platform in linux_x86_64 linux_arm64 macos_x86_64 macos_arm64; do
      known="$known'v$BOOTSTRAP_PEX_VERSION|$platform|$BOOTSTRAP_PEX_SHA256|$BOOTSTRAP_PEX_BYTES', "
    done
    export PANTS_PEX_CLI_VERSION="v$BOOTSTRAP_PEX_VERSION"
    export PANTS_PEX_CLI_URL_TEMPLATE="file://$BOOTSTRAP_PLAIN"
    export PANTS_PEX_CLI_KNOWN_VERSIONS="[$known]"
  fi

  bootstrap_read "$BOOTSTRAP_MADE/index" files
  if [[ -n $BOOTSTRAP_VALUE && -z ${PANTS_PYTHON_REPOS_PATH_MAPPINGS:-} ]]; then
    export PANTS_PYTHON_REPOS_PATH_MAPPINGS="['PACKAGE_FILES|$BOOTSTRAP_VALUE']"
  fi
  bootstrap_read "$BOOTSTRAP_MADE/index" url
  if [[ -n $BOOTSTRAP_VALUE && -z ${PANTS_PYTHON_REPOS_INDEXES:-} ]]; then
    export PANTS_PYTHON_REPOS_INDEXES="['$BOOTSTRAP_VALUE']"
  fi

  if [[ -z ${PANTS_CA_CERTS_PATH:-} ]]; then
    bootstrap_read "$BOOTSTRAP_MADE/index" cert
    for file in "${PIP_CERT:-}" "$BOOTSTRAP_VALUE" "${REQUESTS_CA_BUNDLE:-}" \
      "${SSL_CERT_FILE:-}"; do
      if [[ -f $file && -r $file ]]; then
        export PANTS_CA_CERTS_PATH="$file"
        break
      fi
    done
  fi
}
