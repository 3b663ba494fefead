#include <cmath>

#include <pliant/autograd/ops/activation.h>
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("tape: an L2 penalty of parameters alone") {
  const Parameter p(Tensor::from({1.0, -2.0, 3.0}, {3}), "p");
  Tape tape;
  const Var loss = sum(tape(p) * tape(p));
  const Gradients gradients = tape.gradients(loss);
  CHECK(gradients[p].to_vector() == std::vector<double>{2, -4, 6});
  CHECK(gradients.norm() == doctest::Approx(std::sqrt(56.0)));
}

TEST_CASE("tape: two uses of one parameter add up") {
  const Parameter p(Tensor::from({3.0}, {1}), "p");
  Tape tape;
  const Var x = tape.input(Tensor::from({5.0}, {1}));
  const Var y = x * x.lift(p) + x.lift(p) * x.lift(p);
  CHECK(tape.gradients(sum(y))[p].item() == doctest::Approx(5 + 6));
}

TEST_CASE("tape: a frozen backbone under a training head keeps nothing") {
  Parameter backbone(random({4, 3}, 1), "backbone"), head(random({2, 4}, 2), "head");
  backbone.set_frozen(true);
  Tape tape;
  const Var h = relu(linear(tape.input(random({5, 3}, 3)), tape(backbone)));
  CHECK(tape.saved_bytes() == 0);
  CHECK_FALSE(h.wants_gradient());
  CHECK(h.training());
  const Var y = linear(h, h.lift(head));
  CHECK(tape.saved_bytes() == 5 * 4 * 8);  // h alone, for the head's weight
  const Gradients gradients = tape.gradients(sum(y));
  CHECK(gradients.contains(head));
  CHECK_FALSE(gradients.contains(backbone));
  CHECK(contains(error_of([&] { gradients[backbone]; }), "gradients: none for backbone"));
}

TEST_CASE("tape: each use of a parameter goes by whether it is frozen then") {
  Parameter p(Tensor::from({2.0}, {1}), "p");
  Tape tape;
  p.set_frozen(true);
  const Var constant = tape(p);
  p.set_frozen(false);
  const Var used = tape(p);
  CHECK(tape.gradients(sum(constant * used))[p].item() == 2.0);
  p.set_frozen(true);
  CHECK_FALSE(tape(p).wants_gradient());
}

TEST_CASE("tape: variables, intermediates and an explicit cotangent") {
  Tape tape;
  const Var x = tape.variable(Tensor::from({1.0, 2.0}, {2}));
  const Var h = x * 3.0;
  const Var y = h * h;
  const Gradients gradients = tape.gradients(y, {h}, {.cotangent = Tensor::from({1.0, 10.0}, {2})});
  CHECK(gradients[h].to_vector() == std::vector<double>{6, 120});
  CHECK(gradients[x].to_vector() == std::vector<double>{18, 360});
}

TEST_CASE("tape: gradients in inference mode, training without gradients") {
  const Parameter p(Tensor::from({2.0}, {1}), "p");
  {
    Tape tape({.mode = Mode::inference});
    const Var x = tape.input(Tensor::from({7.0}, {1}));
    CHECK_FALSE(x.training());
    CHECK(tape.gradients(sum(x * x.lift(p)))[p].item() == 7);
  }
  Tape tape({.record = false});
  const Var x = tape.input(Tensor::from({7.0}, {1}));
  CHECK(x.training());
  const Var y = x * x.lift(p);
  CHECK_FALSE(y.wants_gradient());
  CHECK(contains(error_of([&] { tape.gradients(y); }), "does not record"));
}

TEST_CASE("tape: constants stay off it") {
  const Tape tape;
  const Var y = relu(random({3}, 4));
  CHECK_FALSE(y.on_tape());
  CHECK_FALSE(y.training());
  CHECK(contains(error_of([&] { tape.gradients(sum(y)); }), "the loss is not on the tape"));
}

TEST_CASE("tape: misuse is an Error that says what to do") {
  Var stale;
  {
    const Tape tape;
    stale = tape.variable(random({2}, 5));
  }
  CHECK(contains(error_of([&] { relu(stale); }), "relu: the tape of this Var is gone"));
  CHECK(stale.value().size() == 2);

  const Tape tape, other;
  const Var x = tape.variable(random({2, 2}, 6));
  CHECK(contains(error_of([&] { tape.gradients(x * x); }), "not one element"));
  CHECK(contains(error_of([&] { tape.variable({}); }), "tape: the variable is undefined"));
  CHECK(contains(error_of([&] { tape.variable(Tensor::from<std::int64_t>({1}, {1})); }),
                 "tape: a variable must be floating, not int64"));
  CHECK(contains(error_of([&] { x + other.variable(random({2, 2}, 7)); }), "two different tapes"));
  CHECK(contains(error_of([&] { other.gradients(sum(x)); }), "another tape"));
  CHECK(contains(error_of([&] { tape.gradients(sum(tape.input(random({2}, 8)))); }),
                 "depends on no variable"));
  CHECK(contains(error_of([&] {
                   tape.gradients(x, {}, {.cotangent = random({2, 3}, 9)});
                 }),
                 "the cotangent is float64 [2 3]"));
  const Var loss = sum(x);
  tape.gradients(loss);
  CHECK(contains(error_of([&] { tape.gradients(loss); }), "taken already"));
}

TEST_CASE("tape: a saved tensor that was changed in place") {
  Tensor a = random({3}, 10);
  const Tape tape;
  const Var x = tape.variable(random({3}, 11));
  const Var loss = sum(x * a);
  a.mutable_data<double>()[0] = 0;
  CHECK(contains(error_of([&] { tape.gradients(loss); }), "mul: a tensor that its gradient needs"));
}

TEST_CASE("gradients: sum of batches and clipping") {
  const Parameter p(Tensor::from({1.0, 1.0}, {2}), "p"), q(Tensor::from({1.0}, {1}), "q");
  Gradients total;
  {
    const Tape tape;
    total = tape.gradients(sum(tape(p) * 3.0));
  }
  const Tape tape;
  total += tape.gradients(sum(tape(p)) + sum(tape(q) * 3.0));
  CHECK(total[p].to_vector() == std::vector<double>{4, 4});
  CHECK(total[q].item() == 3);
  CHECK(total.entries().front().parameter == p);
  CHECK(total.clip(1.0) == doctest::Approx(std::sqrt(41.0)));
  CHECK(total.norm() == doctest::Approx(1.0));
  total *= 10;
  total.clip_values(6);
  CHECK(total[p].to_vector() == std::vector<double>{6, 6});
  CHECK(total[q].item() < 6);
  total *= -1;
  total.clip_values(0.5);
  CHECK(total[p].to_vector() == std::vector<double>{-0.5, -0.5});
  CHECK(contains(error_of([&] { total.clip_values(0); }), "limit must be positive, got 0"));
}

TEST_CASE("gradients: a norm whose square float32 does not hold, and one that is no number") {
  const Parameter p(Tensor::from<float>({1, 1}, {2}), "p");
  const auto gradients_of = [&](float first) {
    const Tape tape;
    return tape.gradients(sum(tape(p) * Tensor::from<float>({first, 1}, {2})));
  };
  Gradients large = gradients_of(1e20f);
  CHECK(large.norm() == doctest::Approx(1e20));
  CHECK(large.clip(1) == doctest::Approx(1e20));
  CHECK(large[p].to_vector()[0] == doctest::Approx(1));
  CHECK(large[p].to_vector()[1] / 1e-20 == doctest::Approx(1));
  Gradients broken = gradients_of(std::nanf(""));
  CHECK(std::isnan(broken.clip(0.5)));
  CHECK(broken[p].to_vector()[1] == 1);
  Gradients infinite = gradients_of(HUGE_VALF);
  CHECK(std::isinf(infinite.clip(0.5)));
  CHECK(std::isnan(infinite[p].to_vector()[0]));
  CHECK(infinite[p].to_vector()[1] == 0);
}

TEST_CASE("an empty parameter says what to do") {
  const Parameter p(Shape{2}, "stem.weight");
  CHECK(contains(error_of([&] { p.value(); }), "stem.weight: it is empty; call initialise(rng)"));
}

TEST_CASE("gradcheck finds a wrong gradient") {
  const auto wrong = [](const Vars& v) {
    return record("wrong", (v[0] * v[0]).value(), {v[0]}, {v[0]}, [](const NodeView& node) -> Vars {
      return {node.cotangent() * node.saved(0)};  // misses the factor 2
    });
  };
  const GradcheckResult result = gradcheck(wrong, {random({3}, 12, 0.5, 1.0)});
  CHECK_FALSE(result);
  CHECK(contains(result.message, "gradcheck: input 0 element"));
  CHECK(gradcheck([](const Vars& v) { return v[0] * v[0]; }, {random({3}, 12)}));
}

TEST_CASE("gradcheck leaves parameters as they were even if the function throws") {
  for (const auto& check : {gradcheck, gradgradcheck})
    for (int last = 1; last < 9; ++last) {
      const Parameter w(random({2, 3}, 13), "w");
      const std::vector<double> before = w.value().to_vector();
      int calls = 0;
      const auto f = [&](const Vars& v) {
        require(++calls <= last, "enough");
        return v[0].lift(w) * v[0];
      };
      CHECK(error_of([&] { check(f, {random({2, 3}, 14)}, {}, {w}); }) == "enough");
      CHECK(w.value().to_vector() == before);
    }
}

TEST_CASE("gradcheck covers parameters and leaves them as they were") {
  const Parameter w(random({2, 3}, 13), "w");
  const std::vector<double> before = w.value().to_vector();
  CHECK(gradcheck([&](const Vars& v) { return linear(v[0], v[0].lift(w)); }, {random({4, 3}, 14)},
                  {}, {w}));
  CHECK(w.value().to_vector() == before);
}

TEST_CASE("gradients: each has storage of its own") {
  Tensor a = random({3}, 1), b = random({3}, 2);
  const Parameter p(a, "p"), q(a, "q");  // of one tensor: each has a copy
  Tape tape;
  const Var x = tape.variable(random({3}, 3)), y = tape.variable(random({3}, 4));
  const Var h = x + y + x.lift(p) + x.lift(q);
  const Gradients gradients = tape.gradients(h, {h}, {.cotangent = b});
  const std::vector<double> given = b.to_vector();
  std::vector<Tensor> all = {gradients[x], gradients[y], gradients[h],
                             gradients[p], gradients[q], b};
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].to_vector() == given);
    for (std::size_t k = 0; k < i; ++k) CHECK_FALSE(all[i].shares_storage_with(all[k]));
  }
  CHECK_FALSE(p.value().shares_storage_with(q.value()));
  CHECK_FALSE(p.value().shares_storage_with(a));

  Gradients total;
  total += gradients;
  CHECK_FALSE(total[p].shares_storage_with(gradients[p]));
  total += total;
  CHECK(total[p].to_vector()[1] == 2 * given[1]);
}

TEST_CASE("gradients: with create_graph too, and apart from what is on the tape") {
  const Tape tape;
  const Var x = tape.variable(random({3}, 1)), y = tape.variable(random({3}, 2));
  const Gradients gradients = tape.gradients(sum(x + y), {}, {.create_graph = true});
  Tensor changed = gradients[x];
  changed.fill(7);
  CHECK(gradients[y].to_vector() == std::vector<double>{1, 1, 1});
  CHECK(gradients.var(x).value().to_vector() == std::vector<double>{1, 1, 1});
}

TEST_CASE("gradients: a function that writes to its cotangent is an Error") {
  const Tape tape;
  const Var x = tape.variable(random({3}, 1));
  const Var y = record("halved", x.value(), {x}, {}, [](const NodeView& node) -> Vars {
    Tensor dy = node.cotangent().value();
    dy.fill(0.5);
    return {dy};
  });
  CHECK(contains(error_of([&] { tape.gradients(sum(x + y)); }),
                 "halved: its gradient function changed the cotangent in place"));
}

TEST_CASE("parameter: a tensor that somebody else holds is copied, one's own is taken") {
  Tensor mine = random({2}, 1);
  Parameter p(mine, "p");
  mine.fill(9);
  CHECK(p.value().to_vector()[0] != 9);
  p.set(mine);
  CHECK_FALSE(p.value().shares_storage_with(mine));
  Tensor given = random({2}, 2);
  const void* const address = given.raw();
  p.set(std::move(given));
  CHECK(p.value().raw() == address);
  p.set(p.value());
  CHECK(p.value().raw() == address);
}

TEST_CASE("rng: a tape that was given no key has none") {
  const Tape tape, keyed({.rng = Rng(0)});
  CHECK(contains(error_of([&] { tape.input(random({2}, 1)).rng(); }),
                 "rng: the tape has no random key, so every step would draw the same numbers"));
  CHECK(keyed.input(random({2}, 1)).rng().key() == Rng(0).key());
  CHECK(contains(error_of([&] { Var(random({2}, 1)).rng(); }), "off the tape"));
}

TEST_CASE("item: of an undefined tensor") {
  CHECK(error_of([] { Tensor().item(); }) ==
        "item: the tensor is undefined (made by the default constructor, or moved from)");
}
