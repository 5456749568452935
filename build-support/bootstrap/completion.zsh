# Completes `./pants` in zsh. To switch it on, source this file in ~/.zshrc.
source "${0:A:h}/completion.sh"

_pants() {
  local before=" ${(j: :)words[1,CURRENT-1]} " command=$words[1]
  local -a lines
  lines=(${(f)"$(emulate sh; _pants_lines "$before" "$PREFIX" "$command")"})
  # More follows what ends like this.
  compadd -S '' -- ${(M)lines:#*[:=]}
  compadd -- ${lines:#*[:=]}
}

(( $+functions[compdef] )) || { autoload -U compinit && compinit }
compdef _pants pants
