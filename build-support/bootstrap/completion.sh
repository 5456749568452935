# shellcheck shell=bash
# Completes `./pants` in bash: goals, experiments, their targets, and names of local jobs.
#
# To switch it on, source this file in ~/.bashrc. It reads files of the repository whose `./pants` is
# typed, and starts neither Pants nor Python. completion.zsh is the same for zsh.

# Print the folders of experiments.
_pants_experiments() {
  grep -lE '^(experiment|azureml_job)\(' src/*/BUILD src/*/*/BUILD src/*/*/*/BUILD 2>/dev/null |
    sed 's,/BUILD$,,'
}

# Print the addresses of what runs in the folder $1 of an experiment.
_pants_targets() {
  {
    printf '%s\n' job local terminal jupyter test env
    # Names that are written out, and the keys of `jobs={"sweep": "sweep.yaml"}`.
    sed -nE 's/^ +name="([^"]+)".*/\1/p' "$1/BUILD"
    grep -oE '"[^"]+": *"[^"]+\.ya?ml"' "$1/BUILD" | cut -d '"' -f 2
  } 2>/dev/null | sed "s,^,$1:,"
}

# Print what may follow the words $1, where $2 is the beginning of the next one.
_pants_words() {
  case $1 in
    *" run :aml -- jobs "?* | *" run :aml -- ui ") ls .azureml/jobs 2>/dev/null ;;
    *" run :aml -- jobs ") echo archive cancel compare diff download list logs reproduce rerun show stream ;;
    *" run :aml -- ") echo components data doctor endpoints jobs models service ui why ;;
    *" -- "*) echo --allow --dry-run --help --image --json --local --profile --runtime --set --stream ;;
    *" new-experiment "*)
      echo --name= --from=plain
      { ls build-support/experiment-template/variants; _pants_experiments; } | sed 's/^/--from=/'
      ;;
    *" run " | *" package ")
      case $2 in
        *?:*) _pants_targets "${2%%:*}" ;;
        *) echo :aml && _pants_experiments | sed 's/$/:/' ;;
      esac
      ;;
    *" check "* | *" fmt "* | *" lint "* | *" list "* | *" test "*)
      echo :: && _pants_experiments | sed 's/$/::/'
      ;;
    *" ") echo check dependencies dependents fmt help lint list new-experiment package run sync-lockfiles tailor test ;;
  esac
}

# Print what _pants_words does, one word to a line. $3 is the command that is completed.
_pants_lines() {
  cd -- "${3%pants}." && _pants_words "$1" "$2" | tr ' ' '\n'
}

_pants() {
  local line=${COMP_LINE:0:COMP_POINT} word begun each
  word=${line##* }
  # What is before the last of these characters stays as it is.
  begun=${word%"${word##*[:=]}"}
  while IFS= read -r each; do
    [[ $each != "$word"* ]] || COMPREPLY+=("${each#"$begun"}")
  done < <(_pants_lines " ${line% *} " "$word" "${line%% *}")
  # More follows what ends like this.
  [[ ${COMPREPLY[*]} != *[:=] ]] || compopt -o nospace
}

[[ -n ${ZSH_VERSION:-} ]] || complete -F _pants pants
