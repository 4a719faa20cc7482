#!/bin/bash
# A study as a Slurm array: `sbatch slurm.sh study.toml /shared/study`, with a directory that all nodes reach.
# Each task trains its share. One that is killed or runs out of time has saved what it had; `scontrol requeue`, or the same
# sbatch again, goes on with it, and a run of a node that is gone is taken over once its lease has passed.
#SBATCH --job-name=requel
#SBATCH --array=1-20
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
# To the script itself, a minute before its end: runs are saved then, and given back.
#SBATCH --signal=B:TERM@60
set -euo pipefail

study=$1
out=$2
exec requel study "$study" --out "$out" --only "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --jobs "${SLURM_CPUS_PER_TASK:-1}" --plain
# Then, anywhere: requel study study.toml --out /shared/study --merge
