#!/bin/bash
# A job for Slurm: sbatch examples/jobs/slurm.sh RECIPE OUT
#
# After preemption or the loss of a node Slurm starts the job again; at the limit of time it does not: submit it again. In
# either case the same command goes on with what was done. Exit code 0 alone means that the run is complete.
#SBATCH --job-name=curate
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out
#SBATCH --error=%x-%j.jsonl
set -euo pipefail

recipe=${1:?a recipe (TOML)}
out=${2:?an output folder}

# half of the job's memory for sorts, joins and clusters; text on its way and models need the rest
curate run "$recipe" --out "$out" --threads "${SLURM_CPUS_PER_TASK:-2}" --memory 16G --progress json
