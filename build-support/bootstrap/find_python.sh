# shellcheck shell=bash
# Finds the Python that Pants runs on. Sourced by set_up.sh.

BOOTSTRAP_BEST_PYTHON="${BOOTSTRAP_PYTHONS%% *}"

# A Python runs this to print its version, its own path and, when Pants cannot use it, the reason.
# It works on Python 2, too.
BOOTSTRAP_PROBE='
import os, platform, sys
def is_missing(name):
    try:
        __import__(name)
    except ImportError:
        return True
reason = ""
missing = [name for name in ("ctypes", "ensurepip", "ssl", "venv", "zlib") if is_missing(name)]
if "%d.%d" % sys.version_info[:2] not in sys.argv[1:]:
    reason = "Pants needs " + " or ".join(sys.argv[1:])
elif platform.python_implementation() != "CPython":
    reason = "it is not CPython"
elif sys.maxsize < 2**32:
    reason = "it has 32 bits only"
elif missing:
    reason = "missing " + ", ".join(missing)
print("%d.%d.%d" % sys.version_info[:3] + "|" + os.path.realpath(sys.executable) + "|" + reason)
'

# Print where a Python may be, one path per line, best first.
bootstrap_python_places() {
  local version
  for version in $BOOTSTRAP_PYTHONS; do
    bootstrap_python_places_of "$version"
    [[ $version != "$BOOTSTRAP_BEST_PYTHON" ]] || type -ap python3 python || true
  done
}

# Print where a Python of version $1 may be.
bootstrap_python_places_of() {
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
}

# Run the Python $1, and set `release` to its version, `real_path` to what it is a link to, and
# `reason` to why it cannot be used; `reason` is empty when it can. It is run, because a shim of
# pyenv exists also where the version behind it does not.
bootstrap_probe() {
  local answer
  # shellcheck disable=SC2086 # One argument for each version.
  answer="$("$1" -c "$BOOTSTRAP_PROBE" $BOOTSTRAP_PYTHONS 2>/dev/null </dev/null)" ||
    answer="|$1|it does not start"
  release="${answer%%|*}"
  reason="${answer##*|}"
  answer="${answer#*|}"
  real_path="${answer%|*}"
}

# Print the package to install when it is all that the probed Python needs.
bootstrap_missing_package() {
  if [[ $reason == "missing ensurepip" && -f /etc/debian_version ]]; then
    printf '%s\n' "python${release%.*}-venv"
  fi
}

# Set `python` and `python_version` to the best Python, or explain and exit.
bootstrap_find_python() {
  local release="" real_path="" reason=""
  if [[ -n ${PANTS_BOOTSTRAP_PYTHON:-} ]]; then
    bootstrap_take_named_python
  else
    bootstrap_take_best_python
  fi
}

bootstrap_take_named_python() {
  if python="$(type -P "$PANTS_BOOTSTRAP_PYTHON")"; then
    bootstrap_probe "$python"
  else
    reason="there is no such program"
  fi
  if [[ -n $reason ]]; then
    bootstrap_say "PANTS_BOOTSTRAP_PYTHON: $PANTS_BOOTSTRAP_PYTHON cannot be used: $reason."
    bootstrap_explain_python "$(bootstrap_missing_package)"
    exit 2
  fi
  python=$PANTS_BOOTSTRAP_PYTHON
  python_version="${release%.*}"
}

bootstrap_take_best_python() {
  local place seen=$'\n' rejected="" package=""
  python="" python_version=""
  while [[ $python_version != "$BOOTSTRAP_BEST_PYTHON" ]] && IFS= read -r place; do
    [[ -f $place && -x $place ]] || continue
    bootstrap_probe "$place"
    [[ $seen != *$'\n'"$real_path"$'\n'* ]] || continue
    seen="$seen$real_path"$'\n'
    if [[ -n $reason ]]; then
      rejected="$rejected  $place${release:+ ($release)}: $reason"$'\n'
      package="${package:-$(bootstrap_missing_package)}"
    elif [[ -z $python || ${release%.*} == "$BOOTSTRAP_BEST_PYTHON" ]]; then
      python=$place python_version="${release%.*}"
    fi
  done < <(bootstrap_python_places)
  [[ -z $python ]] || return 0
  [[ -n $rejected ]] || rejected=$'  none\n'
  bootstrap_say "no usable Python found. Pants runs on Python ${BOOTSTRAP_PYTHONS// / or }."
  printf '\nFound on PATH, in pyenv, uv and Homebrew:\n%s' "$rejected" >&2
  bootstrap_explain_python "$package"
  exit 2
}

# Explain how to get a usable Python; $1 is the package that is missing, if it is known.
bootstrap_explain_python() {
  if [[ -n $1 ]]; then
    printf '\nInstall what is missing:\n\n  apt-get install %s\n' "$1" >&2
    return
  fi
  cat >&2 <<MESSAGE

Install a 64-bit CPython by any of:

  uv python install $BOOTSTRAP_BEST_PYTHON
  pyenv install $BOOTSTRAP_BEST_PYTHON
  brew install python@$BOOTSTRAP_BEST_PYTHON
  apt-get install python3 python3-venv   (Debian 12)

or name one that is elsewhere: PANTS_BOOTSTRAP_PYTHON=/path/to/python$BOOTSTRAP_BEST_PYTHON ./pants ...
MESSAGE
}
