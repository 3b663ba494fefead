// The nets with an offset field: as intended, with the published reshape, and as published.
#include <filesystem>

#include <pliant/apps/mnist/eval.h>
#include <pliant/data/digits.h>
#include <pliant/data/transforms.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::mnist;
using namespace pliant::kit;
using namespace pliant::test;

namespace {

constexpr Deform kFields[] = {Deform::offset_field, Deform::offset_field_scrambled,
                              Deform::offset_field_as_published};

double largest(const Tensor& values) {
  return max_difference(values, Tensor::zeros(values.shape(), values.dtype()));
}

// A few steps of Adam on everything, as in end-to-end training on scaled digits.
void train_briefly(DigitNet& net) {
  const LabelledImages digits = make_digits(24, Rng(1));
  const Tensor images = scale_images(digits.images, {}, Rng(2));
  Adam adam(net.parameters(), {.lr = 1e-3});
  for (std::int64_t step = 0; step < 3; ++step) {
    const Tape tape;
    const Var logits = net(tape.input(images.slice(8 * step, 8 * step + 8)));
    adam.step(
        tape.gradients(softmax_cross_entropy(logits, digits.labels.slice(8 * step, 8 * step + 8))));
  }
}

}  // namespace

TEST_CASE("offset fields: as published no offset ever moves, and without its derivative all do") {
  for (const Deform deform : kFields) {
    CAPTURE(name_of(deform));
    DigitNet net(deform);
    net.initialise(Rng(3));
    const Tensor before = net.parameters().front().value().clone();
    train_briefly(net);
    CHECK(max_difference(before, net.parameters().front().value()) > 1e-4);  // conv11 trains
    int fields = 0;
    for (const Parameter& parameter : net.parameters()) {
      if (!contains(parameter.name(), ".offset.")) continue;
      CAPTURE(parameter.name());
      ++fields;
      if (deform == Deform::offset_field_as_published)
        CHECK(largest(parameter.value()) == 0);  // exactly
      else
        CHECK(largest(parameter.value()) > 1e-4);
    }
    CHECK(fields == 3);
  }
}

TEST_CASE("offset fields: the same tensors, another function") {
  const Tensor images = random({2, 28, 28, 1}, 2, 0.0, 1.0, DType::float32);
  DigitNet plain(Deform::offset_field);
  plain.initialise(Rng(1));
  State state = plain.state();
  for (auto& [name, tensor] : state)
    if (contains(name, ".offset.")) tensor = random(tensor.shape(), 3, -0.1, 0.1, DType::float32);
  plain.load(state);
  DigitNet scrambled(Deform::offset_field_scrambled), published(Deform::offset_field_as_published);
  scrambled.load(state);
  published.load(state);
  const Tensor y = scrambled(images).value();
  CHECK(max_difference(plain(images).value(), y) > 1e-4);
  CHECK(max_difference(published(images).value(), y) == 0);
}

TEST_CASE("offset fields: kinds by name, and which share their tensors") {
  CHECK(deform_from("offset-field-scrambled") == Deform::offset_field_scrambled);
  CHECK(deform_from("offset-field-as-published") == Deform::offset_field_as_published);
  CHECK(deform_from(name_of(Deform::dcn2)) == Deform::dcn2);
  CHECK_FALSE(find_deform("offset-fields").has_value());
  CHECK(contains(error_of([] { deform_from("offsets"); }),
                 "'offsets' is none of dcn1, dcn2, dcn2-context, offset-field, "
                 "offset-field-context, offset-field-scrambled, "
                 "offset-field-as-published"));
  CHECK(same_tensors(Deform::offset_field, Deform::offset_field_as_published));
  CHECK(same_tensors(Deform::dcn1, Deform::dcn1));
  CHECK_FALSE(same_tensors(Deform::dcn1, Deform::dcn2));
  CHECK_FALSE(same_tensors(Deform::none, Deform::offset_field));
}

TEST_CASE("eval: a file's metadata tells the kind, and must fit its tensors") {
  const TemporaryFolder temporary;
  const std::filesystem::path file = temporary.path() / "net.safetensors";
  const auto saved = [&](Deform deform, const std::map<std::string, std::string>& metadata) {
    DigitNet net(deform);
    net.initialise(Rng(1));
    net.save(file, metadata);
  };
  for (const Deform deform :
       {Deform::none, Deform::dcn1, Deform::dcn2, kFields[0], kFields[1], kFields[2]}) {
    saved(deform, {{"deform", name_of(deform)}});
    CHECK(load_digit_net(file).deform() == deform);
  }
  saved(Deform::offset_field_scrambled, {});
  CHECK(load_digit_net(file).deform() == Deform::offset_field);
  saved(Deform::dcn1, {{"seed", "1"}});
  CHECK(load_digit_net(file).deform() == Deform::dcn1);

  const auto message = [&] { return error_of([&] { load_digit_net(file); }); };
  saved(Deform::dcn1, {{"deform", "dcn2"}});
  CHECK(contains(message(), file.string()));
  CHECK(contains(message(), "its metadata says deform = dcn2, but its tensors are those of dcn1"));
  saved(Deform::none, {{"deform", "offset-field-as-published"}});
  CHECK(contains(message(), "but its tensors are those of none"));
  saved(Deform::none, {{"deform", "dcn9"}});
  CHECK(contains(message(), file.string()));
  CHECK(contains(message(), "unknown kind, deform = 'dcn9'"));
}
