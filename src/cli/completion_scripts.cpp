// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_scripts.hpp"

namespace qconn::cli {
namespace {

// The first line of an answer is "words" or "files", then comes a candidate a line: the word, a tab, what it means.

constexpr std::string_view k_bash =
    R"sh(# qconn: completion for bash. Put it into share/bash-completion/completions/qconn, or: source <(qconn completion bash)
_qconn() {
  local -a lines
  local line word
  COMPREPLY=()
  mapfile -t lines < <("${1/#\~\//$HOME/}" __complete bash -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
  for line in "${lines[@]:1}"; do
    printf -v word %q "${line%%$'\t'*}"
    COMPREPLY+=("$word")
  done
  if [ "${lines[0]-}" = files ] && [ ${#COMPREPLY[@]} -eq 0 ]; then compopt -o default; fi
}
complete -F _qconn qconn
)sh";

constexpr std::string_view k_zsh = R"sh(#compdef qconn
# qconn: completion for zsh. Put it as _qconn into a directory of $fpath, or, after compinit: source <(qconn completion zsh)
_qconn() {
  local -a lines names shown
  local line name help
  lines=("${(@f)$("${(Q)words[1]/#\~\//$HOME/}" __complete zsh -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  for line in "${(@)lines[2,-1]}"; do
    name=${line%%$'\t'*} help=${line#*$'\t'}
    names+=("$name")
    shown+=("$name${help:+  -- $help}")
  done
  (( $#names )) && compadd -l -d shown -a names
  if [[ $lines[1] == files ]]; then
    compset -P '--*='
    _files
  fi
}
if [[ ${funcstack[1]-} == _qconn ]]; then _qconn "$@"; else compdef _qconn qconn; fi
)sh";

constexpr std::string_view k_fish =
    R"sh(# qconn: completion for fish. Put it into ~/.config/fish/completions/qconn.fish, or: qconn completion fish | source
function __qconn_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -e words[1]
    set -l lines ($program __complete fish -- $words (string unescape -- "$last") 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    if test "$lines[1]" = files
        __fish_complete_path $last
    end
end
complete -c qconn -f -a '(__qconn_complete)'
)sh";

}  // namespace

const std::vector<CompletionScript>& completion_scripts() {
    static const std::vector<CompletionScript> all{{"bash", k_bash}, {"zsh", k_zsh}, {"fish", k_fish}};
    return all;
}

}  // namespace qconn::cli
