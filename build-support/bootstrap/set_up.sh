#!/usr/bin/env bash
# Sets Pants up from the configured package index; started by settings.sh.
#
#   set_up.sh pants           Pants and the pex tool
#   set_up.sh pex             the pex tool alone, for the official launcher, which brings its Pants
#   set_up.sh index FOLDER    only ask pip again about the package index, for a folder made earlier
set -euo pipefail

# shellcheck source=build-support/bootstrap/settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"

# --- finding a Python ---

# Succeed when $1 is a Python of version $2 that can make virtual environments. It is run, because
# a shim of pyenv exists also where the version behind it does not.
bootstrap_python_works() {
  [[ -x $1 && ! -d $1 ]] || return 1
  env -u PYTHONPATH -u PYTHONHOME "$1" - "$2" >/dev/null 2>&1 <<'PYTHON'
import ctypes, ensurepip, ssl, sys, venv, zlib
sys.exit(
    "%d.%d" % sys.version_info[:2] != sys.argv[1]
    or sys.implementation.name != "cpython"
    or sys.maxsize < 2**32
)
PYTHON
}

# Print the places where a Python of version $1 may be, one per line, best first.
bootstrap_python_places() {
  local folder
  type -ap "python$1" || true
  for folder in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do
    [[ -z $folder ]] || printf '%s\n' "$folder/versions/$1."*/bin/"python$1"
  done
  for folder in "${UV_PYTHON_INSTALL_DIR:-}" \
    "${XDG_DATA_HOME:-${HOME:-}/.local/share}/uv/python"; do
    [[ -z $folder ]] || printf '%s\n' "$folder/cpython-$1"*/bin/"python$1"
  done
  if [[ -n ${HOMEBREW_PREFIX:-} ]]; then
    printf '%s\n' "$HOMEBREW_PREFIX/opt/python@$1/bin/python$1"
  else
    for folder in /opt/homebrew /usr/local /home/linuxbrew/.linuxbrew; do
      printf '%s\n' "$folder/opt/python@$1/bin/python$1"
    done
  fi
  type -ap python3 || true
  type -ap python || true
}

# Set `python` and `python_version` to the first that works, or explain.
bootstrap_find_python() {
  local place
  if [[ -n ${PANTS_BOOTSTRAP_PYTHON:-} ]]; then
    place="$(type -P "$PANTS_BOOTSTRAP_PYTHON" || true)"
    for python_version in $BOOTSTRAP_PYTHONS; do
      if bootstrap_python_works "$place" "$python_version"; then
        python=$PANTS_BOOTSTRAP_PYTHON
        return
      fi
    done
    bootstrap_say "PANTS_BOOTSTRAP_PYTHON: $PANTS_BOOTSTRAP_PYTHON cannot be used."
    printf '\n%s\n%s\n' "Name a 64-bit CPython ${BOOTSTRAP_PYTHONS// / or } which has the modules venv, ensurepip" \
      "and ssl, or unset the variable to let ./pants look for one." >&2
    exit 2
  fi
  for python_version in $BOOTSTRAP_PYTHONS; do
    while IFS= read -r python; do
      if bootstrap_python_works "$python" "$python_version"; then
        return
      fi
    done < <(bootstrap_python_places "$python_version")
  done
  cat >&2 <<MESSAGE
pants: no usable Python found. Pants runs on Python 3.11, or 3.12.

Looked for python3.11 and python3.12 on PATH, in pyenv, uv and Homebrew, and at what python3 and
python are. One counts when it starts and has the modules venv, ensurepip and ssl. Install one by
any of:

  uv python install 3.11
  pyenv install 3.11
  brew install python@3.11
  sudo apt-get install python3.11 python3.11-venv   (Ubuntu: from the archive ppa:deadsnakes/ppa)

or name one that is elsewhere: PANTS_BOOTSTRAP_PYTHON=/path/to/python3.11 ./pants ...
MESSAGE
  exit 2
}

# --- the steps ---

# Run a step with its output in $log; when it fails, show the end of that and exit.
bootstrap_step() {
  local what=$1
  shift
  "$@" >"$log" 2>&1 && return
  # A URL of the index may hold a password.
  tail -n 12 -- "$log" | sed -E 's#//[^/@ ]+@#//***@#g; s/^/  /' >&2
  bootstrap_say "could not $what: the lines above say why. Nothing was kept; try again after that."
  exit 1
}

# Run pip of the environment $venv so that only what is pinned gets in.
bootstrap_pip() {
  "$venv/bin/python" -m pip --no-input --disable-pip-version-check "$@"
}

bootstrap_pinned() {
  bootstrap_pip install --require-hashes --no-deps --only-binary :all: "$@"
}

# Build the pex tool. Its bytes must be the same everywhere, hence no compression: zlib differs; and
# hence the wheel for 3.11 on newer Pythons, too. It keeps PEX_ROOT, in which Pants names its caches.
#
# It goes by what Pants tells it alone. pip would read the machine's own configuration even so, and
# constraints there break the download of locked files (an AssertionError of pip's older resolver).
bootstrap_build_pex() {
  local wheels="$new/wheels" source="$new/pex-source"
  bootstrap_pip download --require-hashes --no-deps --only-binary :all: --python-version 3.11 \
    --dest "$wheels" --requirement "$BOOTSTRAP_SCRIPTS/pex.txt" || return
  bootstrap_pip install --no-index --no-deps --target "$source" "$wheels"/pex-*.whl || return
  PYTHONPATH="$source" PEX_IGNORE_RCFILES=true "$venv/bin/python" -m pex \
    "pex==$BOOTSTRAP_PEX_VERSION" --console-script pex --no-compress \
    --python-shebang '#!/usr/bin/env python3' --no-use-pip-config --no-pypi \
    --pre-resolved-dists "$wheels" --disable-cache --no-strip-pex-env --inject-env PIP_CONFIG_FILE=/dev/null \
    --output-file "$new/pex" || return
  rm -rf -- "$wheels" "$source"
}

# Install Pants itself next to what it depends on. Its wheels name Python 3.9 as the newest one, but
# work on these: build-support/decisions/pants-on-python-3.11.md.
bootstrap_install_engine() {
  local site_packages=("$venv"/lib/python*/site-packages)
  bootstrap_pinned --requirement "$BOOTSTRAP_SCRIPTS/engine.txt" --ignore-requires-python \
    --implementation cp --python-version 3.9 --abi cp39 --target "${site_packages[0]}" || return
  mv -- "${site_packages[0]}/bin/pants" "$venv/bin/pants" || return
  rmdir -- "${site_packages[0]}/bin" || return
  mkdir -- "$new/types" && ln -s -- "${site_packages[0]}/pants" "$new/types/pants"
}

bootstrap_check_pex() {
  "$venv/bin/python" - "$new/pex" "$BOOTSTRAP_PEX_SHA256" <<'PYTHON'
import hashlib, sys
with open(sys.argv[1], "rb") as built:
    actual = hashlib.sha256(built.read()).hexdigest()
if actual != sys.argv[2]:
    sys.exit("The pex tool that was built has sha256 %s; %s is pinned." % (actual, sys.argv[2]))
PYTHON
}

# Write the file `index` of the folder $1 from pip's installation report $2.
bootstrap_write_index() {
  bootstrap_asked
  printf 'asked=%s\n' "$BOOTSTRAP_ASKED" >"$1/index.$$"
  "$1/venv/bin/python" "$BOOTSTRAP_SCRIPTS/package_index.py" "$2" >>"$1/index.$$"
  mv -f -- "$1/index.$$" "$1/index"
}

# Ask the package index for files that are pinned anyway, only to see where it serves them.
bootstrap_ask_index() {
  bootstrap_pinned --dry-run --ignore-installed --report "$1" \
    --requirement "$BOOTSTRAP_SCRIPTS/installer.txt"
}

bootstrap_make() {
  local file native_client=""
  bootstrap_say "setting Pants $BOOTSTRAP_PANTS_VERSION up with $python;" \
    "this happens once and takes about half a minute"
  bootstrap_step "make a virtual environment" "$python" -m venv "$venv"
  bootstrap_step "install the pinned pip" \
    bootstrap_pinned --requirement "$BOOTSTRAP_SCRIPTS/installer.txt"
  if [[ $1 == pants ]]; then
    bootstrap_say "installing Pants from the package index"
    bootstrap_step "install Pants $BOOTSTRAP_PANTS_VERSION" bootstrap_pinned \
      --report "$new/report.json" --requirement "$BOOTSTRAP_SCRIPTS/pants.txt"
    bootstrap_step "install Pants $BOOTSTRAP_PANTS_VERSION" bootstrap_install_engine
    for file in "$venv"/lib/python*/site-packages/pants/bin/native_client; do
      chmod +x -- "$file"
      native_client="${file#"$new/"}"
    done
  else
    bootstrap_step "ask the package index" bootstrap_ask_index "$new/report.json"
  fi
  bootstrap_say "building the pex tool"
  bootstrap_step "build the pex tool" bootstrap_build_pex
  bootstrap_step "accept the pex tool" bootstrap_check_pex
  bootstrap_write_index "$new" "$new/report.json"
  rm -f -- "$log" "$new/report.json" "$new/maker"
  printf 'interpreter=%s\nnative_client=%s\n' "$python" "$native_client" >"$new/finished.new"
  mv -- "$new/finished.new" "$new/finished"
  bootstrap_say "Pants is set up"
}

# --- one at a time ---

# Whether $1, a `pid@host`, is a process that runs. Of another host nothing is known: assume it.
bootstrap_runs() {
  [[ ${1#*@} != "${me#*@}" ]] || kill -0 "${1%%@*}" 2>/dev/null
}

# Take the lock; fail when what $1 asks for was made by another one meanwhile. The lock is a link to
# `pid@host`: made in one step together with its content, by a tool that every system has.
bootstrap_lock() {
  local owner waited=0
  until ln -s "$me" "$lock" 2>/dev/null; do
    owner="$(readlink "$lock" || true)"
    if [[ -n $owner ]] && ! bootstrap_runs "$owner"; then
      # Renamed first, so that of two that find it abandoned one cannot delete the other's new lock.
      mv -f -- "$lock" "$lock.$$" 2>/dev/null || true
      if [[ $(readlink "$lock.$$" || true) != "$owner" ]]; then
        mv -f -- "$lock.$$" "$lock" 2>/dev/null || true
      fi
      rm -f -- "$lock.$$"
      continue
    fi
    if ((waited == 0)); then
      bootstrap_say "waiting for another start (process ${owner:-unknown}) that sets Pants up"
    elif ((waited > 3000)); then
      bootstrap_say "waited for ten minutes; if that process is gone, delete $lock"
      exit 1
    fi
    waited=$((waited + 1))
    sleep 0.2
    ! bootstrap_look "$1" || return 1
  done
  locked=yes
  ! bootstrap_look "$1"
}

# Remove folders that are broken or were never finished, unless one is being made right now.
bootstrap_sweep() {
  local folder maker
  for folder in "$BOOTSTRAP_FOLDER"/py*; do
    [[ -d $folder ]] || continue
    ! bootstrap_whole "$folder" || continue
    maker=""
    [[ ! -f $folder/maker ]] || IFS= read -r maker <"$folder/maker" || true
    if [[ -z $maker ]] || ! bootstrap_runs "$maker"; then
      rm -rf -- "$folder"
    fi
  done
}

bootstrap_leave() {
  [[ -z $new || -f $new/finished ]] || rm -rf -- "$new"
  [[ -z $locked ]] || rm -f -- "$lock"
}

# --- main ---

# What the user has set for pip, Python and pex elsewhere must not lead out of the environment.
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT \
  PIP_REPORT PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV PIP_NO_BINARY SOURCE_DATE_EPOCH "${!PEX_@}"
export PIP_USER=0
# Modes of files go into the pex tool, hence into its checksum.
umask 022

me="$$@${HOSTNAME:-}"
new=""
locked=""

if [[ $1 == index ]]; then
  venv="$2/venv"
  log="$2/index.$$.log"
  trap 'rm -f -- "$2/index.$$"*' EXIT
  if bootstrap_ask_index "$2/index.$$.json" >"$log" 2>&1; then
    bootstrap_write_index "$2" "$2/index.$$.json"
  else
    bootstrap_say "pip is configured differently than before, but its package index does not answer"
  fi
  exit
fi

bootstrap_folder
lock="$BOOTSTRAP_FOLDER/lock"
if ! mkdir -p -- "$BOOTSTRAP_FOLDER" 2>/dev/null || [[ ! -w $BOOTSTRAP_FOLDER ]]; then
  bootstrap_say "$BOOTSTRAP_FOLDER: cannot write to this cache folder."
  printf '\nName another one: PANTS_BOOTSTRAP_CACHE_DIR=/path/to/a/folder ./pants ...\n' >&2
  exit 2
fi

trap bootstrap_leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

bootstrap_lock "$1" || exit 0
bootstrap_sweep
bootstrap_find_python
# A folder of its own for each attempt, which `finished` turns into a made one: the scripts of a
# virtual environment hold its path, so one cannot be made elsewhere and moved into place.
new="$(mktemp -d "$BOOTSTRAP_FOLDER/py${python_version/./}.XXXXXX")"
printf '%s\n' "$me" >"$new/maker"
venv="$new/venv"
log="$new/log"
bootstrap_make "$1"
