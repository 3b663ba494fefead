// Cases on which the CUDA half is held against the CPU's: what nets over sequences are made of.
#pragma once

#include <pliant/tests/cases/attention.h>
#include <pliant/tests/cases/recurrent.h>
#include <pliant/tests/cases/sequences.h>
#include <pliant/tests/cuda_family_cases.h>

namespace pliant::test {

inline DeviceCases net_cases() {
  DeviceCases all;
  for (const std::vector<OpCase>& some : {attention_cases(), recurrent_cases(), sequence_cases()})
    for (const OpCase& op : some) all.push_back({op.name, op.f, op.inputs});
  return all;
}

}  // namespace pliant::test
