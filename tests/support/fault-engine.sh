#!/bin/sh
# Stands for podman; kills the program that called it right before or after one of podman's commands. The point is in the
# environment as "engine COMMAND before" or "engine COMMAND after" (see kill-points.ts).
for argument; do
  case $argument in
    create | init | start | inspect | rm | kill) command=$argument; break ;;
    ps | info | version | images | image) break ;;
  esac
done
point=$OPENCODE_CAPTURE_TEST_KILL_POINT
if [ "$point" = "engine $command before" ]; then
  kill -9 "$PPID"
  exit 137
fi
podman "$@"
code=$?
if [ "$point" = "engine $command after" ]; then kill -9 "$PPID"; fi
exit $code
