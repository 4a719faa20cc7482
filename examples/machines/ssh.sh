#!/bin/bash
# A study on machines that ssh reaches: `ssh.sh study.toml DIR HOST...`
# With a directory that all of them reach, every machine takes whatever no other has. Without one (LOCAL=1), each trains its share
# in a directory of its own, and rsync brings them together: runs have directories of their own, so nothing meets.
set -euo pipefail

study=$1
out=$2
shift 2
hosts=("$@")
waited=()
for number in "${!hosts[@]}"; do
    host=${hosts[$number]}
    # Its input is the study's file, so that no machine needs a copy of it.
    if [ -n "${LOCAL:-}" ]; then
        part=(--only "$((number + 1))/${#hosts[@]}")
    else
        part=(--join)
    fi
    ${SSH:-ssh} "$host" "$(printf '%q ' requel study /dev/stdin --out "$out" "${part[@]}" --plain)" <"$study" &
    waited+=($!)
done
failed=0
for pid in "${waited[@]}"; do
    wait "$pid" || failed=1
done
if [ -n "${LOCAL:-}" ]; then
    for host in "${hosts[@]}"; do
        rsync --archive --exclude .lock "$host:$out/" "$out/"
    done
fi
[ "$failed" = 0 ] || { echo "a machine failed: the same command goes on" >&2; exit 1; }
requel study "$study" --out "$out" --merge
