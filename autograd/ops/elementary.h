// Elementary functions, element by element. Outside a function's range the result is what the C
// library gives (log of a negative number: NaN), never an Error.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

Var exp(const Var& x);
Var log(const Var& x);  // natural
Var sqrt(const Var& x);
Var rsqrt(const Var& x);  // 1 / sqrt(x)
Var square(const Var& x);
// x to a fixed power; its derivative for exponent 0 is 0.
Var pow(const Var& x, double exponent);
Var abs(const Var& x);  // derivative 0 at 0
// x brought into [low, high]; derivative 1 inside and at the bounds, 0 outside. NaN stays. Either
// bound may be infinite; low <= high.
Var clamp(const Var& x, double low, double high);

}  // namespace pliant
