#!/usr/bin/env bash
# Figures of training on a GPU, beside PyTorch's on the same one and the processor's.
#
#   gpu.sh TRAIN [PEAK]
#
# TRAIN is the program, built with the feature `cuda`; PEAK the GPU's peak in bf16 in TFLOP/s, an H100's 989 if not said.
#
# GPT-2's 124M at 1,024 tokens in bf16 (its vocabulary filled up to a multiple of 128), with our operations and with burn's, and in PyTorch
# where python3 has it; then the first 20 losses of a small shape on the processor and on the GPU in both precisions. What takes
# too long is cut off: first steps try kernels. It has not been run on a GPU yet.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
train=$1 peak=${2:-989}
large=(--batch-size 16 --sequence-length 1024 --hidden-size 768 --num-heads 12 --num-layers 12 --vocab-size 50304)
small=(--batch-size 4 --sequence-length 128 --hidden-size 128 --num-heads 4 --num-layers 4 --vocab-size 512 --steps 20)
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
echo "== GPT-2 124M, 16 x 1,024, bf16"
timeout 200 "$train" bench --device cuda:0 --precision bf16 "${large[@]}" --steps 30 --peak-tflops "$peak"
echo "== the same in PyTorch, compiled"
python3 -c 'import torch' && timeout 150 \
  python3 "$here/train_torch.py" --device cuda --precision bf16 --compile "${large[@]}" --steps 30
echo "== the same with burn's operations"
timeout 150 "$train" --operations framework bench --device cuda:0 --precision bf16 "${large[@]}" --steps 12 --peak-tflops "$peak"
for where in "cpu f32" "cuda:0 f32" "cuda:0 bf16"; do
  read -r device precision <<<"$where"
  echo "== a small shape on $device in $precision"
  timeout 100 "$train" bench --device "$device" --precision "$precision" "${small[@]}"
done
