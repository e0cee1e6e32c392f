#!/usr/bin/env bash
# An agent outside the suite in bash alone: `cmd:bash agent.sh`. It takes a command at random in every turn.
# Bash reads no JSON, and need not: messages are one line each, in ASCII, without spaces between their parts.
# Functions leave what they find in `found`, since $RANDOM begins anew in every $(...).
set -eu

field() { # the number or the plain text that follows a name
  [[ $message =~ \"$1\":\"?([0-9a-z]*) ]] && found=${BASH_REMATCH[1]}
}

choices() { # a command for each seat that is asked; a list is answered in the order asked
  local rest=$message actions="" list
  while [[ $rest =~ \"commands\":\[\"(([^\"\\]|\",\")*)\"\] ]]; do
    rest=${rest#*"${BASH_REMATCH[0]}"}
    mapfile -t list <<<"${BASH_REMATCH[1]//\",\"/$'\n'}"
    actions+=",\"${list[RANDOM % ${#list[@]}]}\""
  done
  found=",\"actions\":[${actions#,}]"
}

while IFS= read -r message; do
  field type; type=$found
  field episode; episode=$found
  field step; step=$found
  more=""
  case $type in
    hello) more=',"view":"text"' ;;
    start) field seed; RANDOM=$((found % 32768)) ;;
    act) choices; more=$found ;;
  esac
  printf '{"type":"%s","version":1,"episode":"%s","step":%s%s}\n' "$type" "$episode" "$step" "$more"
done
