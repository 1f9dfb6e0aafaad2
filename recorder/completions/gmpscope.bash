# SPDX-License-Identifier: MIT
# bash completion for gmpscope. tests/recorder/test-cli-usage.c holds it to the options that --help lists.
_gmpscope() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local commands='record demo load info check state sql dump view render recover materialise'
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version" -- "$cur")
    return
  fi
  case $prev in
  --tables)
    if [[ $command != sql ]]; then
      mapfile -t COMPREPLY < <(compgen -W 'auto all none' -- "$cur")
      return
    fi ;;
  --fault)
    mapfile -t COMPREPLY < <(compgen -W 'sleep-blocks-m lose-defers-on-preempt timer-defer-race' -- "$cur")
    return ;;
  --on-full) mapfile -t COMPREPLY < <(compgen -W 'drop block' -- "$cur"); return ;;
  --lanes) mapfile -t COMPREPLY < <(compgen -W 'm p g' -- "$cur"); return ;;
  --theme) mapfile -t COMPREPLY < <(compgen -W 'light dark' -- "$cur"); return ;;
  --arrows) mapfile -t COMPREPLY < <(compgen -W 'all none wake park create steal mwake retake' -- "$cur"); return ;;
  --categories)
    mapfile -t COMPREPLY < <(compgen -W 'all sched runq timer defer panic preempt sysmon stw netpoll user meta' -- "$cur")
    return ;;
  --for | --from | --to | --at | --g | --m | --p | --size | --kind | --select | --font-scale | --lane-height) return ;;
  esac
  local options='--help'
  case $command in
  record) options+=' --output --for --tables --categories --on-full --sim --quiet' ;;
  demo)
    options+=' --output --fault --sim --quiet --json'
    if ((COMP_CWORD == 2)); then
      options+=" $(gmpscope demo --json 2>/dev/null | sed -n 's/.*"name": "\([a-z0-9-]*\)".*/\1/p' | sort -u)"
    elif ((COMP_CWORD == 3)); then
      options+=" $(gmpscope demo 2>/dev/null | sed -n "/^${COMP_WORDS[2]} /,/^[^ ]/s/^  \([a-z][a-z0-9-]*\) .*/\1/p")"
    fi ;;
  load) options+=' --output --tables --quiet' ;;
  info) options+=' --json' ;;
  check) options+=' --all --json' ;;
  state) options+=' --at --json' ;;
  sql) options+=' --tables --describe --json --csv' ;;
  dump) options+=' --from --to --g --m --p --kind' ;;
  render)
    options+=' --output --from --to --size --lanes --theme --high-contrast --font-scale --lane-height --select --dim'
    options+=' --arrows --at --no-legend' ;;
  recover) options+=' --tables --quiet' ;;
  materialise) options+=' --quiet' ;;
  help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur"); return ;;
  esac
  if [[ $cur == -* || ($command == demo && COMP_CWORD -le 3) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ $command == record ]]; then
    mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _gmpscope gmpscope
