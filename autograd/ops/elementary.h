// Elementary functions, element by element. Outside a function's range the result is what the C
// library gives (log of a negative number: NaN), never an Error.
#pragma once

#include <pliant/autograd/tape.h>

namespace pliant {

Var exp(const Var& x);
Var log(const Var& x);    // natural
Var log1p(const Var& x);  // log(1 + x), exact for small x
Var expm1(const Var& x);  // exp(x) - 1, exact for small x
Var sin(const Var& x);
Var cos(const Var& x);
Var erf(const Var& x);  // the error function
Var sqrt(const Var& x);
Var rsqrt(const Var& x);  // 1 / sqrt(x)
Var square(const Var& x);
// x to a fixed power; its derivative for exponent 0 is 0.
Var pow(const Var& x, double exponent);
// a to the power b, with NumPy broadcasting. The derivative by a is 0 where b is 0; that by b is 0
// where a is 0 and b is not negative, and NaN where a is negative (PyTorch's rules).
Var pow(const Var& a, const Var& b);
Var abs(const Var& x);  // derivative 0 at 0
// Of these the derivative is 0 everywhere.
Var floor(const Var& x);
Var ceil(const Var& x);
Var round(const Var& x);  // halves to the even number
Var sign(const Var& x);   // -1, 0 or 1; NaN stays
// x brought into [low, high]; derivative 1 inside, 0 at the bounds and outside (PyTorch's rule;
// ReLU6 is clamp(x, 0, 6)). NaN stays, with derivative 0. Either bound may be infinite; low <=
// high.
Var clamp(const Var& x, double low, double high);
// The same by tensors that broadcast, of which either may be undefined: no bound. Bounds get the
// gradient where they hold, equals share it; NaN if any is.
Var clamp(const Var& x, const Var& low, const Var& high);

}  // namespace pliant
