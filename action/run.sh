#!/usr/bin/env bash
# Runs plimsoll with the inputs of action.yml. Each becomes one word of the command
# line, behind its own flag, whatever is in it.
set -euo pipefail

case "$INPUT_COMMAND" in
  release | build | push | deploy | rollback | scale | stop | start | status | history | check | diff | wait | diagnose | audit) ;;
  *)
    echo "::error title=plimsoll::command: there is release, build, push, deploy, rollback, scale, stop, start, status, history, check, diff, wait, diagnose and audit"
    exit 2
    ;;
esac

words=("$INPUT_COMMAND")
# flag NAME VALUE COMMAND...: the flag, where it has a value and the command has it.
flag() {
  local name="$1" value="$2" command
  shift 2
  [ -n "$value" ] || return 0
  for command in "$@"; do
    if [ "$command" = "$INPUT_COMMAND" ]; then
      words+=("--$name=$value")
      return
    fi
  done
}
flag image-tag "${INPUT_IMAGE_TAG:-}" deploy check diff
flag tag "${INPUT_IMAGE_TAG:-}" release build push
flag desired-count "${INPUT_DESIRED_COUNT:-}" deploy release
flag to "${INPUT_TO:-}" rollback
flag repository "${INPUT_REPOSITORY:-}" build push deploy release
flag file "${INPUT_DOCKERFILE:-}" build release
while IFS= read -r word; do
  if [ -n "$word" ]; then words+=("$word"); fi
done <<<"${INPUT_ARGUMENTS:-}"
if [ "$INPUT_COMMAND" = scale ]; then
  # Behind --, a count is a count.
  words+=(-- "${INPUT_COUNT:-}")
fi
if [ -n "${INPUT_ENV:-}" ]; then
  export PLIMSOLL_ENV="$INPUT_ENV"
fi
exec plimsoll "${words[@]}"
