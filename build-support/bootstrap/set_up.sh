#!/usr/bin/env bash
# Sets Pants up from the configured package index; started by settings.sh.
#
#   set_up.sh                 Pants and its pex tool
#   set_up.sh index FOLDER    only ask pip again about the package index, for a folder made earlier
set -euo pipefail

# shellcheck source=build-support/bootstrap/settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"
# shellcheck source=build-support/bootstrap/find_python.sh
source "$BOOTSTRAP_SCRIPTS/find_python.sh"
# shellcheck source=build-support/bootstrap/install.sh
source "$BOOTSTRAP_SCRIPTS/install.sh"
# shellcheck source=build-support/bootstrap/lock.sh
source "$BOOTSTRAP_SCRIPTS/lock.sh"

# What the user has set for pip, Python and pex elsewhere must not lead out of the environment.
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT \
  PIP_REPORT PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV PIP_NO_BINARY SOURCE_DATE_EPOCH "${!PEX_@}"
export PIP_USER=0
# Modes of files go into the pex tool, hence into its checksum.
umask 022

me="$$@${HOSTNAME:-}"
new=""
ticker=""
locked=""

# Ask pip again about the package index, for the folder $1.
bootstrap_refresh_index() {
  answer="$1/index.$$"
  trap 'rm -f -- "$answer"*' EXIT
  venv="$1/venv"
  if bootstrap_ask_index "$answer.json" >"$answer.log" 2>&1; then
    bootstrap_write_index "$1" "$answer.json"
  else
    bootstrap_say "pip is configured differently than before, but its package index does not answer"
  fi
}

bootstrap_check_cache() {
  if ! mkdir -p -- "$BOOTSTRAP_FOLDER" 2>/dev/null || [[ ! -w $BOOTSTRAP_FOLDER ]]; then
    bootstrap_say "$BOOTSTRAP_FOLDER: cannot write to this cache folder."
    printf '\nName another one: PANTS_BOOTSTRAP_CACHE_DIR=/path/to/a/folder ./pants ...\n' >&2
    exit 2
  fi
}

# Make a folder for this attempt, which the file `finished` turns into a made one: the scripts of a
# virtual environment hold its path, so one cannot be made elsewhere and moved into place.
bootstrap_make_folder() {
  new="$(mktemp -d "$BOOTSTRAP_FOLDER/py${python_version/./}.XXXXXX")"
  printf '%s\n' "$me" >"$new/maker"
  venv="$new/venv"
  log="$new/log"
}

if [[ ${1:-} == index ]]; then
  bootstrap_refresh_index "$2"
  exit
fi

bootstrap_folder
lock="$BOOTSTRAP_FOLDER/lock"
bootstrap_check_cache
trap bootstrap_leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
bootstrap_lock || exit 0
bootstrap_sweep
bootstrap_find_python
bootstrap_make_folder
bootstrap_install
