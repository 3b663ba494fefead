// How the ops that resample maps by rows and columns apart are made; for the .cpp files of such
// ops.
#pragma once

#include <pliant/autograd/tape.h>
#include <pliant/core/kernels/resample.h>

namespace pliant {

// x [N rows.size columns.size C] -> [N rows.out columns.out C], recorded as `op`. x is checked
// already, but for its size.
Var apply_resample(const char* op, const Var& x, const ResampleAxis& rows,
                   const ResampleAxis& columns);

}  // namespace pliant
