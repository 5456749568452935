# shellcheck shell=bash
# Lets one start at a time set Pants up, and removes what a broken one left. Sourced by set_up.sh.
# shellcheck disable=SC2154 # It sets me, new, ticker, locked and lock.

# Whether $1, a `pid@host`, is a process that runs. Of another host nothing is known: assume it.
bootstrap_runs() {
  [[ ${1#*@} != "${me#*@}" ]] || kill -0 "${1%%@*}" 2>/dev/null
}

# Take the lock; fail when another start has set Pants up meanwhile. The lock is a link to
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
    ! bootstrap_look || return 1
  done
  locked=yes
  ! bootstrap_look
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
  [[ -z $ticker ]] || kill "$ticker" 2>/dev/null || true
  [[ -z $new || -f $new/finished ]] || rm -rf -- "$new"
  [[ -z $locked ]] || rm -f -- "$lock"
}
