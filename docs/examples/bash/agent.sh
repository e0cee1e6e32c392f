#!/usr/bin/env bash
# An agent outside the suite in bash alone: `cmd:bash agent.sh`. It takes a command at random in every turn.
# Bash reads no JSON, and need not: messages are one line each, in ASCII, without spaces between their parts.
set -eu

field() { # the number or text that follows a name
  [[ $message =~ \"$1\":\"?([0-9a-z]*) ]] && printf %s "${BASH_REMATCH[1]}"
}

answer() { # the parts that every message has, and what else is to be said
  printf '{"type":"%s","version":1,"episode":"%s","step":%s%s}\n' "$type" "$(field episode)" "$(field step)" "$1"
}

choices() { # for each seat that is asked, a command of its list; a list is answered in the order asked
  local rest=$message actions="" list
  while [[ $rest =~ \"commands\":\[\"(([^\"\\]|\",\")*)\"\] ]]; do
    rest=${rest#*"${BASH_REMATCH[0]}"}
    list=${BASH_REMATCH[1]//\",\"/$'\n'}
    mapfile -t list <<<"$list"
    actions+=",\"${list[RANDOM % ${#list[@]}]}\""
  done
  printf %s ",\"actions\":[${actions#,}]"
}

while IFS= read -r message; do
  type=$(field type)
  case $type in
    hello) answer ',"view":"text"' ;;
    start) RANDOM=$(($(field seed) % 32768)); answer "" ;;
    act) answer "$(choices)" ;;
    *) answer "" ;;
  esac
done
