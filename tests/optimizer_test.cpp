#include <pliant/layers/train/optimizer.h>

#include <memory>

#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/reduce.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// A step whose gradient by each parameter is the tensor beside it.
void step(Optimizer& optimizer, const std::vector<std::pair<Parameter, Tensor>>& gradients) {
  const Tape tape;
  Var loss;
  for (const auto& [parameter, gradient] : gradients) {
    const Var term = sum(tape(parameter) * gradient);
    loss = loss.defined() ? loss + term : term;
  }
  optimizer.step(tape.gradients(loss));
}

using Values = std::vector<double>;

// Three elements of a conformance case (PyTorch 1.13): start, a row per step, end.
struct Golden {
  Values start;
  std::vector<Values> gradients;
  Values end;
};

template <class O, class Options>
void check(const Golden& golden, const Options& options) {
  const std::int64_t n = static_cast<std::int64_t>(golden.start.size());
  for (const DType dtype : {DType::float64, DType::float32}) {
    CAPTURE(dtype);
    const Parameter p(Tensor::from(golden.start, {n}).to(dtype), "p");
    const void* const address = p.value().raw();
    O optimizer({p}, options);
    for (const Values& gradient : golden.gradients)
      step(optimizer, {{p, Tensor::from(gradient, {n}).to(dtype)}});
    CHECK(max_difference(p.value(), Tensor::from(golden.end, {n})) <
          (dtype == DType::float64 ? 1e-12 : 1e-6));
    CHECK(p.value().raw() == address);
  }
}

Parameter scalar_parameter(const char* name, double value) {
  return Parameter(Tensor::full({1}, value, DType::float64), name);
}

Tensor one(double value) { return Tensor::full({1}, value, DType::float64); }

}  // namespace

TEST_CASE("Sgd: PyTorch's results") {
  check<Sgd>({{-1.1146404941259485, 1.1927586175663143, 0.3326945601299846},
              {{-1.0431845755332854, -1.0873914309118506, -1.6247583444833222},
               {1.475946401004375, 2.7339988125731347, -0.8226620055917481},
               {-0.22023713771994938, -0.6948986213995044, 0.19994819242953282},
               {-0.10279775047503709, 0.15053396676946135, 0.9186354348715876},
               {0.3737621895856158, 0.015137987256638135, 0.5397073851615172}},
              {-1.1629894068121205, 1.0810205461375264, 0.4116074938912279}},
             SgdOptions{.lr = 0.1});
  check<Sgd>({{1.0431668895942585, -1.498459143205578, 0.9584943840083421},
              {{0.1475212718222935, -0.5710048422624485, -1.0204184048432126},
               {-0.4989573551470518, -0.31784684263196367, -0.4846302890013279},
               {1.1544935653682133, -0.7247440330458854, -0.4968691990214364},
               {-1.4544164223582168, 1.1068259194233903, 1.204343119748663},
               {1.3296046476095171, -0.7108085500068533, 1.4672168629468536}},
              {0.984857787277706, -1.0981298578038743, 1.3021349552511208}},
             SgdOptions{.lr = 0.1, .momentum = 0.9});
  check<Sgd>({{1.1885986946666844, -0.9433909099813889, -0.5572550413608036},
              {{1.0514195066880367, 0.8971733644935241, -0.3947791304988623},
               {0.20516313300870065, -0.789836464243313, 0.13129661458964761},
               {-1.5348793862653978, 0.5342526951051917, -1.3104856010741444},
               {1.7307112528387583, -1.0760255717881588, 0.2700910392812361},
               {-0.7433006800841998, 1.6801920472677159, 0.8616214659484739}},
              {1.0387380635412702, -1.0492241963935407, -0.4397231477771398}},
             SgdOptions{.lr = 0.05, .momentum = 0.8, .dampening = 0.3});
  check<Sgd>({{1.3117961390179211, -0.19984829634711185, -1.6327938480301416},
              {{1.3259981201379805, -0.8277679718545278, 0.47105000083855747},
               {-0.43505029343757856, 0.14992054676914146, 1.5080633584274927},
               {1.1076565258197544, -0.6426771659883197, 1.8514378127870574},
               {0.4477677042334351, -0.7742828685361411, -0.7273072106969078},
               {-0.5354096023539745, 1.3301265358335141, -1.3658123259354826}},
              {0.45105686347638196, 0.3046290715543481, -2.6174887704437744}},
             SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
}

TEST_CASE("Adam: PyTorch's results") {
  check<Adam>({{0.5997472072613953, -0.5674070439673783, 0.7872140196337333},
               {{-1.1973122942335817, -0.3530114451715111, -0.5054647893109695},
                {2.143727117731504, -1.3491912401620312, -0.9184693430760992},
                {0.7237008122637809, 0.6963092692353842, 0.20563752272775962},
                {2.9874435041197676, 0.47017584572710314, -0.8701149799052591},
                {0.34653582197712757, -0.46829489999357576, -0.31214317098032257},
                {-0.4965544797382341, 0.19047434080614004, 1.2098082042200449}},
               {0.5982755169969771, -0.5647392007912737, 0.7914581496829192}},
              AdamOptions{});
  check<Adam>(
      {{0.550655515607266, -1.001444251432568, 1.1537067917622603},
       {{0.10394851034292583, -0.7244187075663673, 0.4608897901028146},
        {-0.6851511691444538, -1.5815358320790642, 1.4818053441713361},
        {1.1966723043669283, 1.6033517862242321, 0.1985230972696866},
        {0.10548495321152604, -0.33208631784557757, 0.8823872513645866},
        {0.9836604788607957, 0.1116363315656171, -1.4716185282623593},
        {-0.7995412316272832, 1.7725408209462439, 0.7993767707289888}},
       {0.44815374365515703, -0.8940947998988865, 0.9454119051177217}},
      AdamOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1});
}

TEST_CASE("optimizer: a tensor of many blocks is moved like its elements alone") {
  const std::int64_t n = 40001;
  const Parameter whole(random({n}, 1), "whole"),
      last(whole.value().slice(n - 1, n).clone(), "last");
  const Tensor gradient = random({n}, 2);
  Adam adam({whole, last});
  Sgd sgd({whole, last}, {.lr = 0.1, .momentum = 0.9});
  for (Optimizer* optimizer : {static_cast<Optimizer*>(&adam), static_cast<Optimizer*>(&sgd)})
    for (int i = 0; i < 3; ++i)
      step(*optimizer, {{whole, gradient}, {last, gradient.slice(n - 1, n)}});
  CHECK(whole.value().to_vector().back() == last.value().item());
}

TEST_CASE("optimizer: a parameter without a gradient stays, and its moments too") {
  const Parameter a = scalar_parameter("a", 1), b = scalar_parameter("b", 1),
                  twin = scalar_parameter("twin", 1);
  Adam adam({a, b}, {.lr = 0.1, .weight_decay = 0.5}),
      other({twin}, {.lr = 0.1, .weight_decay = 0.5});
  step(adam, {{a, one(1)}, {b, one(1)}});
  const double after_one = b.value().item();
  step(adam, {{a, one(1)}});
  CHECK(b.value().item() == after_one);
  CHECK(a.value().item() != after_one);
  step(adam, {{b, one(-1)}});
  step(other, {{twin, one(1)}});
  step(other, {{twin, one(-1)}});
  CHECK(b.value().item() == twin.value().item());  // its second step, not the optimizer's third
}

TEST_CASE("optimizer: a frozen parameter stays even if there is a gradient") {
  Parameter p = scalar_parameter("p", 1);
  Sgd sgd({p});
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(tape(p)));
  p.set_frozen(true);
  sgd.step(gradients);
  CHECK(p.value().item() == 1);
}

TEST_CASE("optimizer: groups have a rate and a decay of their own") {
  const Parameter a = scalar_parameter("a", 1), b = scalar_parameter("b", 1),
                  c = scalar_parameter("c", 1);
  Sgd sgd({{{a}}, {{b}, 0.1}, {{c}, 1, 0.5}}, {.lr = 0.2});
  step(sgd, {{a, one(1)}, {b, one(1)}, {c, one(1)}});
  CHECK(a.value().item() == doctest::Approx(1 - 0.2));
  CHECK(b.value().item() == doctest::Approx(1 - 0.02));
  CHECK(c.value().item() == doctest::Approx(1 - 0.2 * 1.5));
  sgd.set_lr(1);
  step(sgd, {{b, one(1)}});
  CHECK(b.value().item() == doctest::Approx(1 - 0.02 - 0.1));
}

TEST_CASE("optimizer: training goes on from a saved state as if it had never stopped") {
  const auto gradient = [](int i) { return random({5}, 100 + static_cast<std::uint64_t>(i)); };
  const auto check_resume = [&](auto make) {
    const Parameter straight(random({5}, 1), "net.weight"), idle(random({5}, 3), "net.idle");
    auto first = make(straight, idle);
    for (int i = 0; i < 3; ++i) step(*first, {{straight, gradient(i)}});
    const State state = first->state();
    const Parameter resumed(straight.value().clone(), "net.weight"),
        idle2(random({5}, 3), "net.idle");
    for (int i = 3; i < 5; ++i) step(*first, {{straight, gradient(i)}});

    auto second = make(resumed, idle2);
    second->load(state);
    for (int i = 3; i < 5; ++i) step(*second, {{resumed, gradient(i)}});
    CHECK(resumed.value().to_vector() == straight.value().to_vector());
    return state;
  };
  const State adam = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Adam>(std::vector{p, q});
  });
  REQUIRE(adam.size() == 3);
  CHECK(adam[0].first == "net.weight/steps");
  CHECK(adam[0].second.item() == 3);
  CHECK(adam[2].first == "net.weight/second_moment");
  const State sgd = check_resume([](const Parameter& p, const Parameter& q) {
    return std::make_unique<Sgd>(std::vector{p, q}, SgdOptions{.momentum = 0.9});
  });

  const Parameter p(random({5}, 1), "net.weight"), other(random({4}, 1), "net.weight");
  Adam fits({p}), small({other});
  CHECK(contains(error_of([&] { fits.load(sgd); }), "the state lacks net.weight/first_moment"));
  CHECK(contains(error_of([&] { small.load(adam); }), "has shape [5], expected [4]"));
  State more = adam;
  more.emplace_back("head/steps", one(1));
  CHECK(contains(error_of([&] { fits.load(more); }), "unexpected head/steps"));
}

TEST_CASE("optimizer: misuse is an Error") {
  const Parameter p = scalar_parameter("p", 1), q = scalar_parameter("p", 1);
  CHECK(contains(error_of([&] { Sgd({p, p}); }), "p is given twice"));
  CHECK(contains(error_of([&] { Sgd({p}, {.lr = -1}); }), "learning rate -1"));
  CHECK(contains(error_of([&] { Adam({p}).set_lr(NAN); }), "learning rate nan"));
  CHECK(contains(error_of([&] { Adam({p}, {.beta1 = 1}); }), "[0, 1)"));
  CHECK(contains(error_of([&] { Sgd({p}, {.nesterov = true}); }), "nesterov needs momentum"));
  CHECK(contains(error_of([&] { Adam({p, q}).state(); }), "'p' names no parameter or more"));
  Parameter r = scalar_parameter("r", 1);
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(tape(r)));
  r.set(Tensor::full({1}, 1.0));
  CHECK(contains(error_of([&] { Sgd({r}).step(gradients); }),
                 "the gradient of r is float64 [1] on cpu, the parameter float32"));
}
