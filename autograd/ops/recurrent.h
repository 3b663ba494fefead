// The steps of recurrent layers, all of a sequence in one op; layers/recurrent.h has the layers.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

// An LSTM (Hochreiter and Schmidhuber 1997): x [T N 4H], what of the arguments of the gates i, f,
// g, o depends on the input; hidden and cell [N H], the first states; weight [4H H] -> the states
// [2 T+1 N H], hidden ones and cells, the first included:
//   i, f, o = sigmoid(x + h weight^T), g = tanh(x + h weight^T), c' = f c + i g, h' = o tanh(c')
// bfloat16 computes in float32, with states in bfloat16 at the end.
Var lstm_states(const Var& x, const Var& hidden, const Var& cell, const Var& weight);

// A GRU (Cho et al. 2014): x [T N 3H], what of the arguments of r, z, n depends on the input; hidden
// [N H], weight [3H H], bias [3H] or undefined -> the hidden states [T+1 N H], the first included:
// with p = h weight^T + bias
//   r, z = sigmoid(x + p), n = tanh(x + r p), h' = (1 - z) n + z h
Var gru_states(const Var& x, const Var& hidden, const Var& weight, const Var& bias = {});

}  // namespace pliant
