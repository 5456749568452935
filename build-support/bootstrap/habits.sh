# shellcheck shell=bash
# Answers what people type by habit, before Pants is asked, and lets Pants show its progress.
#
# For a flag that it does not know, Pants ends its daemon, and the next command waits for a new one.
# Sourced by ./pants at every start: without a terminal it starts no process. Works with bash 3.2, the
# one of macOS.

HABITS_ROOT="${BASH_SOURCE[0]%/*}/../.."

# The flags of one word that Pants takes after `run`. Its others begin with the name of a tool.
HABITS_PANTS_FLAGS=" args colors concurrent help level logdir loop pantsd pantsrc plugins pythonpath tag version "
# The flags of several words that are for what runs.
HABITS_OWN_FLAGS=" as-now auth-mode check-only display-name dry-run experiment-name instance-count instance-type jobs-at-once no-browser no-cache output-name same-as sort-by "

# Print what is wrong ($1) and the command to type (the other words), and end.
habits_answer() {
  local wrong=$1 command
  shift
  printf -v command ' %q' "$@"
  printf 'pants: %s. Write:\n\n  ./pants%s\n' "$wrong" "$command" >&2
  exit 2
}

# Whether the word $1 after the target of `run` is a flag for what runs, and not for Pants.
habits_is_own_flag() {
  [[ $1 == --?* ]] || return 1
  local name=${1#--}
  name=${name%%=*}
  if [[ $name == *-* ]]; then
    [[ $HABITS_OWN_FLAGS == *" $name "* ]]
  else
    [[ $HABITS_PANTS_FLAGS != *" $name "* ]]
  fi
}

# Check `run`: $1 is how many words come before its target, the rest are all words.
habits_check_run() {
  local at=$1 target own="" word
  shift
  local before=("${@:1:at}") after=()
  target=${*:at+1:1}
  shift "$((at + 1))"
  habits_check_exists "${target%%:*}" "$target" "${before[@]}" "$target" "$@"
  habits_check_folder "$target" "${before[@]}"
  while [[ $# -gt 0 && $1 != -- ]]; do
    word=$1
    shift
    if [[ -n $own || $target == *:aml && $word != -* ]] || habits_is_own_flag "$word"; then
      own=${own:-$word}
      after+=("$word")
    else
      before+=("$word")
    fi
  done
  [[ -n $own ]] || return 0
  [[ $# -eq 0 ]] || shift
  habits_answer "$own is for $target, and that follows \`--\`" \
    "${before[@]}" "$target" -- "${after[@]}" "$@"
}

# Check a target that is the folder of an experiment: it has several targets to run.
habits_check_folder() {
  local folder=${1%/} line
  shift
  [[ -d $HABITS_ROOT/$folder && -f $HABITS_ROOT/$folder/BUILD ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line == "experiment("* ]]; then
      habits_answer "$folder is a folder with several targets, such as :job and :local" \
        "$@" "$folder:job"
    fi
  done <"$HABITS_ROOT/$folder/BUILD"
}

# Check that $1 exists, a folder or file of the repository: else name the folder that begins most
# alike. $2 is the address with it, the rest are all words.
habits_check_exists() {
  local path=${1%/} given=$2 length near=() words=() word
  shift 2
  [[ $path == */* && $path != /* && $path != *[*?]* && ! -e $HABITS_ROOT/$path ]] || return 0
  length=${#path} word=${path%/*}/
  while [[ $length -gt ${#word} && ! -f ${near[0]:-} ]]; do
    near=("$HABITS_ROOT/${path:0:length}"*/BUILD)
    length=$((length - 1))
  done
  [[ -f ${near[0]:-} ]] || habits_answer "there is no $path" list ::
  near=("${near[0]#"$HABITS_ROOT/"}")
  for word in "$@"; do
    [[ $word == "$given" ]] && word=${near[0]%/BUILD}${given#"$path"}
    words+=("$word")
  done
  habits_answer "there is no $path" "${words[@]}"
}

# Check `new-experiment` with a word $1 that no flag has; the rest are all words.
habits_check_value() {
  local value=$1 flag=--name word others=()
  shift
  [[ " $* " != *" --from $value "* ]] || flag=--from
  for word in "$@"; do
    [[ $word != "$flag="* ]] || return 0
    [[ $word == "$value" || $word == "$flag" ]] || others+=("$word")
  done
  habits_answer "Pants takes the value of a flag after \`=\`" "${others[@]}" "$flag=$value"
}

# Whether one of the paths is a file. A pattern that matches none stays a pattern.
habits_any() {
  local path
  for path in "$@"; do
    [[ ! -f $path ]] || return 0
  done
  return 1
}

# Check a path of which Pants silently does nothing: $1 are the goals, $2 is the path, the rest are
# all words.
habits_check_path() {
  local goals=$1 given=$2 path=${2%::} folder words=() word
  shift 2
  path=${path%/}
  folder=$path
  habits_check_exists "${path%%:*}" "$given" "$@"
  [[ $path == */* || -d $HABITS_ROOT/$path ]] || return 0
  [[ $path != /* && $path != *:* && $path != build-support/* && -e $HABITS_ROOT/$path ]] || return 0
  # A target of the root may have it.
  [[ ! -f $HABITS_ROOT/BUILD || $(<"$HABITS_ROOT/BUILD") != *"**"* ]] || return 0
  for word in "$@"; do
    [[ $word == "$given" ]] && word=$path::
    words+=("$word")
  done
  while [[ -n $folder ]]; do
    if habits_any "$HABITS_ROOT/$folder"/BUILD "$HABITS_ROOT/$folder"/BUILD.*; then
      # The owner of the path: its tests are in a folder below.
      [[ $goals == *" test "* && -d $HABITS_ROOT/$path && $given != *:: ]] || return 0
      local own="$HABITS_ROOT/$path"
      if ! habits_any "$own"/test_*.py "$own"/*_test.py && habits_any "$own"/*/test_*.py; then
        habits_answer "tests of $path are in folders below it" "${words[@]}"
      fi
      return 0
    fi
    [[ $folder == */* ]] || break
    folder=${folder%/*}
  done
  if [[ -d $HABITS_ROOT/$path && -n $(find "$HABITS_ROOT/$path" -name BUILD -print -quit) ]]; then
    [[ $given == *:: ]] || habits_answer "targets of $path are in folders below it" "${words[@]}"
  elif habits_any "$HABITS_ROOT/$path"/*.py || [[ $path == *.py ]]; then
    [[ -d $HABITS_ROOT/$path ]] || path=${path%/*}
    habits_answer "there is no BUILD file for $given, so Pants does nothing with it" tailor "$path::"
  fi
}

# Commands of one of our targets that are no goals of Pants.
habits_check_goal() {
  case $1 in
    components | data | doctor | endpoints | jobs | models | service | ui | why)
      habits_answer "$1 is a command of :aml" run :aml -- "$@"
      ;;
    job | jupyter | local | submit | terminal | train)
      [[ $1 != submit && $1 != train ]] || set -- job
      habits_answer "an experiment is run by the address of its target" run "src/X:$1"
      ;;
  esac
}

habits_check() {
  local goals=" " at=0 word paths=()
  for word in "$@"; do
    [[ $word != -- ]] || break
    if [[ $word != -* ]]; then
      case $goals in
        " run ")
          habits_check_run "$at" "$@"
          return 0
          ;;
        " new-experiment ")
          habits_check_value "$word" "$@"
          return 0
          ;;
      esac
      case $word in
        check | fix | fmt | lint | new-experiment | run | test) goals="$goals$word " ;;
        *)
          if [[ $goals == " " ]]; then
            habits_check_goal "${@:at+1}"
            return 0
          fi
          paths+=("$word")
          ;;
      esac
    fi
    at=$((at + 1))
  done
  # Among several, such as those of a hook, others may be what is meant.
  [[ ${#paths[@]} -ne 1 ]] || habits_check_path "$goals" "${paths[0]}" "$@"
}

# Pants asks its daemon whether there is a terminal: one that was started by a hook or by a build
# would show no progress in any later terminal.
habits_show_progress() {
  local file
  [[ -t 2 && -z ${CI:-} && -z ${PANTS_DYNAMIC_UI:-} ]] || return 0
  for file in "$HABITS_ROOT/pants.toml" "$HABITS_ROOT/.pants.rc" "${HOME:-}/.pants.rc"; do
    [[ ! -r $file || $(<"$file") != *dynamic_ui* ]] || return 0
  done
  export PANTS_DYNAMIC_UI=true
}

# Show on a terminal that Pants starts, or starts again after an edit of its configuration: loading
# its rules takes seconds, and Pants is silent meanwhile. Its next line replaces ours, which is
# shorter than each of its own.
habits_show_start() {
  [[ -t 2 && -z ${CI:-} ]] || return 0
  # Who reads the output of the command does not wait for this.
  habits_tick "${PANTS_WORKDIR:-$HABITS_ROOT/.pants.d}/run-tracker" </dev/null >/dev/null &
}

# Count the seconds until Pants makes a folder for this run in $1, or ends.
habits_tick() {
  local folders seconds=0 before=("$1"/*)
  while [[ $seconds -lt 300 ]] && sleep 1 && kill -0 $$ 2>/dev/null; do
    folders=("$1"/*)
    [[ "${folders[*]}" == "${before[*]}" ]] || return 0
    seconds=$((seconds + 1))
    printf 'pants: starting, %s s\033[K\r' "$seconds" >&2
  done
}
