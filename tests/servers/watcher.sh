#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ends what a test process has left behind when it dies, however it dies: its standard input is a pipe from that process.
#   +PID    a process group that is running now       -PID    it has ended
#   d PATH  a temporary directory                     e PATH  it has been removed
# At the end of the input every group that is left is killed, then every directory removed.
groups=' '
folders=' '
trap '' INT TERM HUP
while read -r word path; do
  case $word in
    +*) groups="$groups${word#+} " ;;
    -*) groups=$(printf '%s' "$groups" | sed "s/ ${word#-} / /") ;;
    d) folders="$folders$path " ;;
    e) folders=$(printf '%s' "$folders" | sed "s| $path | |") ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
for folder in $folders; do
  case $folder in */qconn-test.*) rm -rf "$folder" ;; esac
done
exit 0
