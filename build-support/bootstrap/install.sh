# shellcheck shell=bash
# Installs Pants into the folder $new, from the configured package index. Sourced by set_up.sh.
# shellcheck disable=SC2154 # It sets new, ticker, venv, log, python and python_version.

# Report progress: on a terminal in one line that changes, elsewhere in a line of its own. Without
# an argument, remove that line from the terminal.
bootstrap_progress() {
  if [[ -t 2 ]]; then
    printf '\r\033[K%s' "${1:+pants: $1}" >&2
    printf '%s\n' "${1:-}" >"$new/doing"
  elif [[ -n ${1:-} ]]; then
    bootstrap_say "$1"
  fi
}

# Show each second on the terminal what is done and for how long, so that no step looks stuck.
bootstrap_tick() {
  local doing seconds=0
  while sleep 1 && [[ -f $new/doing ]]; do
    # It is empty while it is written.
    read -r doing <"$new/doing" || true
    seconds=$((seconds + 1))
    printf '\r\033[K%s' "pants: ${doing:-$1}, $seconds s" >&2
  done
}

# Run a step with its output in $log; when it fails, show the end of that and exit.
bootstrap_step() {
  local what=$1 status=0
  shift
  if [[ -t 2 ]]; then
    printf '\n' >"$new/doing"
    bootstrap_tick "$what" &
    ticker=$!
  fi
  "$@" 2>&1 | bootstrap_follow || status=$?
  bootstrap_end_tick
  [[ $status -ne 0 ]] || return 0
  # A URL of the index may hold a password.
  tail -n 12 -- "$log" | sed -E 's#//[^/@ ]+@#//***@#g; s/^/  /' >&2
  bootstrap_say "could not $what: the lines above say why. Nothing was kept; try again after that."
  exit 1
}

bootstrap_end_tick() {
  [[ -n $ticker ]] || return 0
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  ticker=""
  bootstrap_progress
}

# Write the output of a step to $log, and report each package that pip fetches, with its size.
bootstrap_follow() {
  local line file fetched total
  read -r fetched total <"$new/fetched"
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    case $line in
      *"Downloading "*.whl\ \(*)
        fetched=$((fetched + 1))
        file="${line#*Downloading }"
        # Without a terminal, only what takes time is worth a line.
        if [[ -t 2 || $line == *MB\) ]]; then
          bootstrap_progress "fetching package $fetched of $total: ${file%%-*} (${line##* \(}"
        fi
        ;;
      "Installing collected packages:"*)
        [[ ! -t 2 ]] || bootstrap_progress "installing what was fetched"
        ;;
      *"Using cached "*.whl\ \(* | "Processing "*) fetched=$((fetched + 1)) ;;
    esac
  done
  bootstrap_progress
  printf '%s %s\n' "$fetched" "$total" >"$new/fetched"
}

# Run pip of the environment $venv.
bootstrap_pip() {
  "$venv/bin/python" -m pip --no-input --disable-pip-version-check "$@"
}

# Install with pip what is pinned, and nothing else.
bootstrap_pinned() {
  bootstrap_pip install --require-hashes --no-deps --only-binary :all: "$@"
}

# Install Pants itself next to what it depends on. Its wheels name Python 3.9 as the newest one, but
# work on newer ones: build-support/maintaining/decisions/pants-on-python-3.11.md.
bootstrap_install_pants() {
  local packages="$venv/lib/python$python_version/site-packages"
  bootstrap_pinned --requirement "$BOOTSTRAP_SCRIPTS/engine.txt" --ignore-requires-python \
    --implementation cp --python-version 3.9 --abi cp39 --target "$packages" || return
  mv -- "$packages/bin/pants" "$venv/bin/pants" || return
  rmdir -- "$packages/bin" || return
  chmod +x -- "$packages/pants/bin/native_client" || return
  mkdir -- "$new/types" && ln -s -- "$packages/pants" "$new/types/pants"
}

# Build the pex tool. Its bytes must be the same everywhere: so it is not compressed, because zlib
# differs, and it holds the wheel for 3.11, also where that for 3.12 would fit.
#
# It keeps PEX_ROOT, which Pants sets to its own cache, and ignores the machine's pip configuration:
# a constraint there breaks the download of locked files (an AssertionError of pip's older resolver).
bootstrap_build_pex() {
  local wheels="$new/wheels" source="$new/pex-source"
  bootstrap_pip download --require-hashes --no-deps --only-binary :all: --python-version 3.11 \
    --dest "$wheels" --requirement "$BOOTSTRAP_SCRIPTS/pex.txt" || return
  bootstrap_pip install --quiet --no-index --no-deps --target "$source" "$wheels"/pex-*.whl ||
    return
  # pex writes a default for PEX_ROOT into the tool. Its own differs among systems and accounts.
  # shellcheck disable=SC2088 # The tool expands it.
  local root="~/.cache/pex"
  HOME="$source" PYTHONPATH="$source" PEX_IGNORE_RCFILES=true "$venv/bin/python" -m pex \
    "pex==$BOOTSTRAP_PEX_VERSION" --console-script pex --no-compress --runtime-pex-root "$root" \
    --python-shebang '#!/usr/bin/env python3' --no-use-pip-config --no-pypi \
    --pre-resolved-dists "$wheels" --disable-cache --no-strip-pex-env \
    --inject-env PIP_CONFIG_FILE=/dev/null --output-file "$new/pex" || return
  rm -rf -- "$wheels" "$source"
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

# Install everything, into the folder $new.
bootstrap_install() {
  local requirements
  requirements="$(cat "$BOOTSTRAP_SCRIPTS"/{installer,pants,engine,pex}.txt | grep -c "==")"
  printf '0 %s\n' "$requirements" >"$new/fetched"
  bootstrap_say "setting Pants $BOOTSTRAP_PANTS_VERSION up with $python; this happens once, fetches" \
    "about 60 MB and takes half a minute, on a busy machine two"
  bootstrap_step "make a virtual environment" "$python" -m venv "$venv"
  bootstrap_step "install the pinned pip" \
    bootstrap_pinned --requirement "$BOOTSTRAP_SCRIPTS/installer.txt"
  bootstrap_say "building the pex tool"
  bootstrap_step "build the pex tool" bootstrap_build_pex
  bootstrap_step "accept the pex tool" bootstrap_check_pex
  bootstrap_say "installing Pants from the package index"
  bootstrap_step "install what Pants needs" bootstrap_pinned \
    --report "$new/report.json" --requirement "$BOOTSTRAP_SCRIPTS/pants.txt"
  bootstrap_step "install Pants $BOOTSTRAP_PANTS_VERSION" bootstrap_install_pants
  bootstrap_write_index "$new" "$new/report.json"
  rm -f -- "$log" "$new/fetched" "$new/doing" "$new/report.json" "$new/maker"
  printf '%s\n' "interpreter=$python" \
    "native_client=venv/lib/python$python_version/site-packages/pants/bin/native_client" \
    >"$new/finished.new"
  mv -- "$new/finished.new" "$new/finished"
  bootstrap_say "Pants is set up; a first run also starts it, for half a minute, and fetches packages:" \
    "those of the example are 120 MB"
}
