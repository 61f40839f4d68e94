/**
 * What the shells need: each asks `torchts __complete WORDS` for the words that may stand in place
 * of the last one. A word that goes on (it ends in `=`, `.` or `/`) gets no space behind it.
 */

const BASH = `# bash completion of torchts. For every session: add this to ~/.bashrc
#     source <(torchts completion bash)
_torchts() {
  local line=\${COMP_LINE:0:COMP_POINT} words found
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  mapfile -t COMPREPLY < <("$1" __complete -- "\${words[@]:1}" 2>/dev/null)
  # bash takes = and : for breaks between words: only what follows the last one is replaced.
  local word=\${words[-1]} head
  head=\${word%"\${word##*[=:]}"}
  COMPREPLY=("\${COMPREPLY[@]#"$head"}")
  for found in "\${COMPREPLY[@]}"; do
    [[ $found == *[=./] ]] && compopt -o nospace
  done
}
complete -F _torchts torchts
`;

const ZSH = `#compdef torchts
# zsh completion of torchts. For every session: put this into a folder of $fpath
#     torchts completion zsh > "\${fpath[1]}/_torchts"
_torchts() {
  local -a found open closed
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  open=("\${(@M)found:#*[=./]}")
  closed=("\${(@)found:#*[=./]}")
  [[ -n "\${open[*]}" ]] && compadd -Q -S '' -- "\${open[@]}"
  [[ -n "\${closed[*]}" ]] && compadd -Q -- "\${closed[@]}"
}
if [[ "\${funcstack[1]}" == _torchts ]]; then _torchts "$@"; else compdef _torchts torchts; fi
`;

const FISH = `# fish completion of torchts. For every session:
#     torchts completion fish > ~/.config/fish/completions/torchts.fish
function __torchts_complete
    set -l words (commandline -opc)
    $words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c torchts -f -a '(__torchts_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

export type Shell = keyof typeof SCRIPTS;
