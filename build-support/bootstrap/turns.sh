# shellcheck shell=bash
# Lets commands ask Pants one at a time, in the order in which they were started.
#
# Pants' daemon serves one command at a time, those that wait in any order, and each of them holds a
# thread of it: many at once block it. Sourced by ./pants at every start: it starts no process as long
# as no other command runs. Works with bash 3.2, the one of macOS.
#
# A command draws a number: a file with its process and its words. It holds until that process ends.

TURNS_NUMBER=""

# Wait for the turn of the command whose words are given.
turns_take() {
  local folder="${PANTS_SUBPROCESSDIR:-$HABITS_ROOT/.pids}/turns" typed="$*"
  # What follows `--` is for what runs, and may be long.
  typed="${typed%% -- *}"
  # Without the daemon, commands run next to each other.
  [[ -z ${PANTS_CONCURRENT:-}${PANTS_PANTSD:-} ]] || return 0
  [[ " $typed " != *" --no-pantsd "* && " $typed " != *" --concurrent "* ]] || return 0
  [[ -d $folder ]] || mkdir -p -- "$folder"
  turns_draw "$folder" "$typed"
  turns_wait "$folder"
}

# Set TURNS_NUMBER to a new file in the folder $1 that holds this process and the words $2.
turns_draw() {
  local drawn last tries
  for ((tries = 0; tries < 1000; tries++)); do
    drawn=("$1"/*)
    last=${drawn[${#drawn[@]} - 1]##*/}
    printf -v TURNS_NUMBER '%s/%09d' "$1" "$((10#${last/\*/0} + 1))"
    turns_write "$2" || continue
    drawn=("$1"/*)
    # Others may have drawn and ended since: an earlier number than that of one that runs is none.
    [[ ${drawn[${#drawn[@]} - 1]} != "$TURNS_NUMBER" ]] || return 0
    rm -f -- "$TURNS_NUMBER"
  done
  # Where nothing can be written, Pants itself waits.
  TURNS_NUMBER=""
}

# Make the number, and fail when another command has it.
turns_write() {
  local status=0
  set -o noclobber
  { printf '%s %s\n' $$ "$1" || true; } 2>/dev/null >"$TURNS_NUMBER" || status=$?
  set +o noclobber
  return "$status"
}

# Wait until no command with an earlier number in the folder $1 runs.
turns_wait() {
  local file pid words ahead gone text shown=""
  while :; do
    ahead=0 gone=()
    for file in "$1"/*; do
      [[ $file < $TURNS_NUMBER ]] || break
      if [[ $ahead -gt 0 ]] || turns_read "$file"; then
        ahead=$((ahead + 1))
      else
        gone+=("$file")
      fi
    done
    # The removal of a few would cost a command more time than these do.
    [[ ${#gone[@]} -lt 10 ]] || rm -f -- "${gone[@]}"
    [[ $ahead -gt 0 ]] || break
    text="pants: waiting for \`./pants $words\` (process $pid), then for $((ahead - 1)) more"
    if [[ -t 2 ]]; then
      printf '\r\033[K%s' "$text" >&2
    elif [[ -z $shown ]]; then
      printf '%s\n' "$text" >&2
    fi
    shown=yes
    # The last of many looks less often.
    [[ $ahead -lt 20 ]] || ahead=20
    sleep "$((ahead / 10)).$((ahead % 10))"
  done
  [[ -z $shown || ! -t 2 ]] || printf '\r\033[K' >&2
}

# Set `pid` and `words` to those of the number $1; fail when its command has ended.
turns_read() {
  local word looks
  for ((looks = 0; looks < 40; looks++)); do
    pid=""
    { read -r pid words || true; } 2>/dev/null <"$1" || return 1
    [[ -z $pid ]] || break
    # Its command has made it, and is about to write into it.
    sleep 0.05
  done
  # A command that was killed just then never does.
  [[ -n $pid ]] || rm -f -- "$1"
  [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null || return 1
  # Numbers of processes are used again.
  if [[ ! -d /proc/self ]]; then
    [[ $(ps -o command= -p "$pid") == *pants* ]]
    return
  fi
  while IFS= read -r -d '' word; do
    [[ $word != *pants* ]] || return 0
  done 2>/dev/null <"/proc/$pid/cmdline"
  return 1
}
