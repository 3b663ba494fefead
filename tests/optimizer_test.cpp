#include <pliant/layers/train/optimizer.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <pliant/tests/optimizer_steps.h>

using namespace pliant;
using namespace pliant::test;

namespace {

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

TEST_CASE("AdamW: PyTorch's results") {
  check<AdamW>({{-0.5975344091842696, -0.1627402462743599, -0.8656800103414708},
                {{1.4554537418062594, 1.4742577302039714, -0.8033911360658229},
                 {-0.5967543894758165, 0.8597173491294278, 0.4896185423382337},
                 {-1.034663124288427, 1.3511558542613358, 0.12914213307827097},
                 {-0.7202998089226558, 0.9366341945530468, 0.5086737663339925}},
                {-0.5984047420841189, -0.1666250941767071, -0.8646415612039052}},
               AdamWOptions{});
  check<AdamW>({{1.9106915860208125, 0.28753201561734926, 0.9497220563173524},
                {{-0.13800663439035152, -0.5263991340174741, 0.6432645960870735},
                 {0.2874835966539257, -0.5508297848827759, -1.2877216043738855},
                 {1.9950315565676666, 1.1990201205990556, -1.0672012060342462},
                 {-1.4908669385061517, 0.6226655879955678, -1.1984865742889208}},
                {1.7875416224595662, 0.3362834455972275, 0.9383801228969598}},
               AdamWOptions{.lr = .05, .beta1 = .8, .beta2 = .9, .eps = 1e-6, .weight_decay = .3});
}

TEST_CASE("RmsProp: PyTorch's results") {
  check<RmsProp>({{0.34581854037083587, 1.407224453378978, -0.9350047562898988},
                  {{-1.3341728720951336, -1.825791263930289, 0.6794511130104574},
                   {0.36580424965035396, -1.8367264088230264, 0.14517192891935723},
                   {-1.635356887248147, -2.0543857955748255, -2.0325307499872145},
                   {-1.4523293336658032, -0.027965197408831063, 0.8811971974840623}},
                  {0.5523737564752453, 1.6416104676449892, -0.9994301271940106}},
                 RmsPropOptions{});
  check<RmsProp>({{-0.41377667970820037, 0.41915862557836336, -0.9875061508292293},
                  {{-0.6275482526807876, -1.58187897438981, 0.5017615130680005},
                   {-1.253470212112752, -0.1187062403463276, -2.3138849244224167},
                   {-0.5849711633642144, 0.4415738136281207, 0.6664769816575569},
                   {-0.2619837720634664, -1.0137558367437873, -1.0609479535508721}},
                  {-0.043706447417787106, 0.6011726279533732, -1.0144090265209618}},
                 RmsPropOptions{.lr = 0.02,
                                .alpha = 0.9,
                                .eps = 1e-6,
                                .weight_decay = 0.05,
                                .momentum = 0.7,
                                .centered = true});
  check<RmsProp>({{0.5940740666954213, -0.12711703264833044, -0.7286936945418533},
                  {{0.7211949114954438, -0.5660312623146591, 0.5780901937202216},
                   {0.3069325833727967, 0.6139482436805956, -0.35476560847137656},
                   {2.6310804459151003, 0.8008178065329821, -0.24496706669351115},
                   {-0.5422396277335784, -1.26667386475434, -1.5098185700099174}},
                  {0.2863707469719879, -0.09992196510574204, -0.715797575635946}},
                 RmsPropOptions{.lr = 0.02, .alpha = 0.9, .momentum = 0.7});
  check<RmsProp>({{0.0927238858409981, 1.1086663631997284, -0.3354992333138882},
                  {{0.19937452997477356, -0.24675708778642727, 1.106052289741642},
                   {-0.22956003288812188, 0.274852046261738, 0.44771397004145497},
                   {-0.6985587806584892, 0.36876684804970083, -0.9867429640465893},
                   {-0.4091217659193773, 1.1176726109260189, -0.7978085579327099}},
                  {0.17118174508140838, 1.0160080579300552, -0.35488138952717263}},
                 RmsPropOptions{.lr = 0.02, .alpha = 0.9, .centered = true});
}

TEST_CASE("RmsProp: a centered variance that rounding takes below 0 is no NaN") {
  const Parameter p(Tensor::full({1}, 1.0), "p");
  RmsProp rmsprop({p}, {.lr = 1e-3, .alpha = 0.5, .centered = true});
  for (int i = 0; i < 60; ++i)  // the gradients' variance falls to nothing
    step(rmsprop, {{p, Tensor::full({1}, 0.1)}});
  CHECK(std::isfinite(p.value().item()));
}

TEST_CASE("Adagrad: PyTorch's results") {
  check<Adagrad>({{0.34581854037083587, 1.407224453378978, -0.9350047562898988},
                  {{-1.3341728720951336, -1.825791263930289, 0.6794511130104574},
                   {0.36580424965035396, -1.8367264088230264, 0.14517192891935723},
                   {-1.635356887248147, -2.0543857955748255, -2.0325307499872145},
                   {-1.4523293336658032, -0.027965197408831063, 0.8811971974840623}},
                  {0.3664208865882791, 1.4306158938196907, -0.9414272121158996}},
                 AdagradOptions{});
  check<Adagrad>({{1.6479404047849828, -0.22626409062661718, 2.3674083030520685},
                  {{0.4343709527811907, -1.1063714594893252, 0.6100070711264144},
                   {-0.7758518886093891, 1.085995895984924, 0.8305742846202809},
                   {0.7214502043298585, -1.3164950303631069, -0.9459808214875971},
                   {-0.3109530291983702, 1.7232257503607606, -0.44785718911690886}},
                  {1.6164470660388988, -0.19732615600653974, 2.2985655321115464}},
                 AdagradOptions{.lr = 0.1,
                                .lr_decay = 0.05,
                                .weight_decay = 0.02,
                                .initial_accumulator = 0.3,
                                .eps = 1e-8});
}

TEST_CASE("optimizer: a tensor of many blocks is moved like its elements alone") {
  const std::int64_t n = 40001;
  const Parameter whole(random({n}, 1), "whole"),
      last(whole.value().slice(n - 1, n).clone(), "last");
  const Tensor gradient = random({n}, 2);
  Adam adam({whole, last});
  Sgd sgd({whole, last}, {.lr = 0.1, .momentum = 0.9});
  AdamW adamw({whole, last});
  RmsProp rmsprop({whole, last}, {.momentum = 0.5, .centered = true});
  Adagrad adagrad({whole, last}, {.initial_accumulator = 0.1});
  Adam amsgrad({whole, last}, {.amsgrad = true});
  NAdam nadam({whole, last});
  Lion lion({whole, last});
  for (Optimizer* optimizer : std::initializer_list<Optimizer*>{&adam, &sgd, &adamw, &rmsprop,
                                                                &adagrad, &amsgrad, &nadam, &lion})
    for (int i = 0; i < 3; ++i)
      step(*optimizer, {{whole, gradient}, {last, gradient.slice(n - 1, n)}});
  CHECK(whole.value().to_vector().back() == last.value().item());
}

TEST_CASE("Adam: amsgrad, by its formula") {
  struct Amsgrad {
    double m = 0, v = 0, largest = 0;
    void operator()(int t, double g, double& p) {
      g += 0.01 * p;
      m = 0.9 * m + 0.1 * g;
      v = 0.9 * v + 0.1 * g * g;
      largest = std::max(largest, v);
      p -= 0.02 * m / (1 - std::pow(0.9, t)) / (std::sqrt(largest / (1 - std::pow(0.9, t))) + 1e-6);
    }
  };
  const auto make = [](const Parameter& p) {
    return std::make_unique<Adam>(
        std::vector{p},
        AdamOptions{.lr = 0.02, .beta2 = 0.9, .eps = 1e-6, .weight_decay = 0.01, .amsgrad = true});
  };
  check_steps(9, make, Amsgrad());
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

  // AdamW's decay is times the group's rate; a gradient of 0 leaves it alone.
  const Parameter d = scalar_parameter("d", 1), e = scalar_parameter("e", 1),
                  f = scalar_parameter("f", 1);
  AdamW adamw({{{d}}, {{e}, 0.1}, {{f}, 1, 0.0}}, {.lr = 0.5, .weight_decay = 0.2});
  step(adamw, {{d, one(0)}, {e, one(0)}, {f, one(0)}});
  CHECK(d.value().item() == doctest::Approx(1 - 0.1));
  CHECK(e.value().item() == doctest::Approx(1 - 0.01));
  CHECK(f.value().item() == 1);
}

TEST_CASE("optimizer: misuse is an Error") {
  const Parameter p = scalar_parameter("p", 1), q = scalar_parameter("p", 1);
  CHECK(contains(error_of([&] { Sgd({p, p}); }), "p is given twice"));
  CHECK(contains(error_of([&] { Sgd({p, Parameter()}); }), "Sgd: parameter 1 is undefined"));
  CHECK(contains(error_of([&] { Sgd({p}, {.lr = -1}); }), "learning rate -1"));
  CHECK(contains(error_of([&] { Adam({p}).set_lr(NAN); }), "learning rate nan"));
  CHECK(contains(error_of([&] { Adam({p}, {.beta1 = 1}); }), "[0, 1)"));
  CHECK(contains(error_of([&] { Sgd({p}, {.nesterov = true}); }),
                 "nesterov needs a momentum above 0 and no dampening, got 0 and 0"));
  CHECK(contains(error_of([&] { AdamW({p}, {.beta2 = -1}); }), "AdamW: beta1 0.9 and beta2 -1"));
  CHECK(contains(error_of([&] { AdamW({p}, {.weight_decay = -1}); }),
                 "AdamW: the weight decay -1 is not"));
  CHECK(contains(error_of([&] { RmsProp({p}, {.alpha = 1}); }), "RmsProp: alpha 1 must lie"));
  CHECK(contains(error_of([&] { RmsProp({p}, {.momentum = -1}); }), "momentum -1 is not a number"));
  CHECK(contains(error_of([&] { Adagrad({p}, {.lr_decay = -1}); }), "Adagrad: lr_decay -1"));
  CHECK(contains(error_of([&] { Adam({p, q}).state(); }), "'p' names no parameter or more"));
  Parameter r = scalar_parameter("r", 1);
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(tape(r)));
  r.set(Tensor::full({1}, 1.0));
  CHECK(contains(error_of([&] { Sgd({r}).step(gradients); }),
                 "the gradient of r is float64 [1] on cpu, the parameter float32"));
}

TEST_CASE("optimizer: a trained parameter without a gradient is told of once, by its path") {
  const Parameter a = scalar_parameter("net.a", 1), b = scalar_parameter("net.b", 1);
  Parameter c = scalar_parameter("net.c", 1);
  c.set_frozen(true);
  Sgd sgd({a, b, c});
  const auto moves_a = [&](Sgd& optimizer) {
    return told([&] { step(optimizer, {{a, one(1)}}); });
  };
  const std::string message = moves_a(sgd);
  CHECK(contains(message, "pliant: Sgd: no gradient for net.b: left off the tape"));
  CHECK_FALSE(contains(message, "net.c"));
  CHECK(moves_a(sgd).empty());
  CHECK(a.value().item() == doctest::Approx(1 - 0.2));
  Sgd silent({a, b, c}, {.may_lack = {"*.b"}});
  CHECK(moves_a(silent).empty());

  // x + p.value() is a constant.
  Sgd both({a, b});
  const Tape tape;
  const Var x = tape.input(one(2));
  const Gradients gradients = tape.gradients(sum(x * a + b.value()));
  CHECK(contains(told([&] { both.step(gradients); }), "no gradient for net.b"));
}

TEST_CASE("optimizer: no parameters, another net's, a misspelled pattern") {
  struct Net : Module {
    Parameter a = own("a", scalar_parameter("", 1));
  };
  const Net net;
  const Parameter a = net.a, b = scalar_parameter("net.b", 1);
  Parameter frozen = scalar_parameter("net.c", 1);
  CHECK(error_of([] { Adam(std::vector<Parameter>{}); }) ==
        "Adam: it was given no parameters; a net has those of the layers that it takes in by own("
        "\"name\", layer)");
  Sgd other({b});
  CHECK(
      told([&] {
        step(other, {{a, one(1)}});
      }) ==
      "Sgd: none of its parameters has a gradient (the first is net.b); there are gradients of a");
  Sgd allowed({b}, {.may_lack = {"*"}});
  CHECK(told([&] { step(allowed, {{a, one(1)}}); }).empty());
  frozen.set_frozen(true);
  Sgd waits({frozen});
  CHECK(told([&] { step(waits, {{a, one(1)}}); }).empty());
  CHECK(contains(error_of([&] { Sgd({a}, {.may_lack = {"nte.*"}}); }),
                 "Sgd: may_lack 'nte.*' matches no path; there are a"));
  CHECK(contains(error_of([&] { AdamW({a}, {.may_lack = {""}}); }), "is empty"));
  CHECK(error_of([&] { Sgd({a}, {.may_lack = {"*.mask.*"}}); }).empty());
}

TEST_CASE("optimizer: a parameter's own factor is a number of at least 0") {
  Parameter a = scalar_parameter("net.a", 1);
  a.set_lr_factor(.5);
  for (const double factor : {std::nan(""), -1.0, HUGE_VAL})
    CHECK(contains(error_of([&] { a.set_lr_factor(factor); }),
                   "set_lr_factor: the factor of 'net.a' is "));
  CHECK(a.lr_factor() == .5);
}

TEST_CASE("optimizer: nothing moves if one gradient does not fit") {
  const Parameter a = scalar_parameter("a", 1);
  Parameter b = scalar_parameter("b", 1);
  Adam adam({a, b});
  const Tape tape;
  const Gradients gradients = tape.gradients(sum(tape(a) + tape(b)));
  b.set(Tensor::full({1}, 1.0));
  CHECK(contains(error_of([&] { adam.step(gradients); }), "the gradient of b is float64"));
  CHECK(a.value().item() == 1);
  CHECK(adam.state().empty());
}

TEST_CASE("optimizer: gradients of several batches make the step of a large one") {
  const Tensor whole = random({6}, 1), rows = random({4, 6}, 2);
  const Parameter at_once(whole.clone(), "p"), in_parts(whole.clone(), "p");
  Adam one_step({at_once}), parts({in_parts});
  Gradients sum;
  Tensor mean = Tensor::zeros({6}, DType::float64);
  for (std::int64_t i = 0; i < 4; ++i) {
    const Tensor row = rows.slice(i, i + 1).reshape({6});
    const Tape tape;
    sum += tape.gradients(pliant::sum(tape(in_parts) * row) / 4.0);
    mean = (Var(mean) + Var(row) / 4.0).value();
  }
  parts.step(sum);
  step(one_step, {{at_once, mean}});
  CHECK(max_difference(at_once.value(), in_parts.value()) < 1e-15);
}

TEST_CASE("optimizers: options and states that no training has") {
  const auto parameters = [] {
    return std::vector<Parameter>{Parameter(Tensor::full({2}, 1), "w")};
  };
  CHECK(contains(error_of([&] { Sgd(parameters(), {.momentum = HUGE_VAL}); }), "momentum inf"));
  CHECK(
      contains(error_of([&] { Sgd(parameters(), {.dampening = std::nan("")}); }), "dampening nan"));
  CHECK(contains(error_of([&] { Sgd(parameters(), {.weight_decay = HUGE_VAL}); }),
                 "is not a number"));
  CHECK(contains(error_of([&] { Adagrad(parameters(), {.lr_decay = HUGE_VAL}); }), "lr_decay inf"));
  Adam adam(parameters());
  const auto state = [](double steps, double second) -> State {
    return {{"w/steps", Tensor::scalar(steps, DType::float64)},
            {"w/first_moment", Tensor::full({2}, -1)},
            {"w/second_moment", Tensor::full({2}, second)}};
  };
  CHECK(contains(error_of([&] { adam.load(state(1.5, 1)); }), "expected a whole number"));
  CHECK(contains(error_of([&] { adam.load(state(1, -1)); }), "has numbers below 0"));
}
