#!/usr/bin/env bash
# One step, as a process that a time limit can end: step.sh NAME.
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$tools/settings.sh"
libraries
[[ ! -d $carry/mnist ]] || export PLIANT_DATA=${PLIANT_DATA:-$root/$carry/mnist}
bin=$(program_folder)
logs=$state/logs
tests='cuda*,cudnn*,capture*'
jobs=4 samples=3 images=6000 epochs=3 batch=128 test_seconds=60 sanitizer_seconds=90
bench_cases='' columns_cases=conv2d smoke_case='deform_conv2d v2 32x28' trace_case='deform_conv2d v2 8x56x56x128'
trace_step='training step, regular net, batch 128'
source "$tools/steps.sh"
if [[ -n $dry ]]; then  # little of everything
  tests=${PLIANT_DRY_TESTS:-capture*,cuda: every op\\, permute,cuda: what goes wrong*}
  jobs=2 samples=1 images=16 epochs=1 batch=16 test_seconds=600 sanitizer_seconds=600
  smoke_case='depthwise conv2d 32x28x28x64 fwd'
  bench_cases=$smoke_case columns_cases=$smoke_case trace_case=$smoke_case trace_step=$smoke_case
  dry_compare=(--samples 1 --cases 'depthwise conv2d 32x28x28x64' --device cpu)
  make_digits "$state/digits"
  export PLIANT_DATA=$state/digits
fi
"$1"
