#include <pliant/apps/train/net_json.h>

#include <functional>
#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/core/nearest.h>
#include <pliant/layers/layers.h>

namespace pliant::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostOfAnything = std::int64_t{1} << 20;  // channels, sides, strides

// What is known of the map at this place of the net, [1 H W C]; of vectors [1 C].
struct Place {
  Shape at;
  std::int64_t classes;

  std::int64_t channels() const { return at[at.rank() - 1]; }
  bool is_map() const { return at.rank() == 4; }
};

// The attributes of one layer; each must be asked for.
class Attributes {
 public:
  Attributes(std::string layer, const Json& json) : layer_(std::move(layer)), json_(json) {}

  std::int64_t count(const char* key, std::int64_t otherwise, std::int64_t least = 1) {
    return ask(key) ? kit::count_of(key, json_[key], kMostOfAnything, least) : otherwise;
  }
  std::int64_t count(const char* key) {
    require(ask(key), layer_, " needs \"", key, '"');
    return kit::count_of(key, json_[key], kMostOfAnything, 1);
  }
  double number(const char* key, double otherwise, double least, double most) {
    return ask(key) ? kit::number_of(key, json_[key], least, most) : otherwise;
  }
  bool flag(const char* key, bool otherwise) {
    return ask(key) ? kit::take_flag(json_, key) : otherwise;
  }
  void require_all_known() const {
    for (const auto& [key, value] : json_.items()) {
      require(!asked_.empty(), layer_, " takes no attributes, got \"", key, '"');
      require(asked_.contains(key), layer_, " knows no \"", key, "\"; did you mean \"",
              nearest_name(key, {asked_.begin(), asked_.end()}), "\"?");
    }
  }

 private:
  bool ask(const char* key) {
    asked_.insert(key);
    return json_.contains(key);
  }

  std::string layer_;
  const Json& json_;
  std::set<std::string> asked_;
};

void require_map(const Place& place) {
  require(place.is_map(), "it needs a map [N H W C], here are vectors [N C]");
}

// The map behind windows of that kind.
Shape behind(const Place& place, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
             std::int64_t dilation, std::int64_t out) {
  Shape shape = {1, 0, 0, out};
  for (const int axis : {1, 2}) {
    const std::int64_t window = dilation * (kernel - 1) + 1, room = place.at[axis] + 2 * padding;
    require(room >= window, "a window of ", window, " pixels does not fit into a map of ",
            place.at[1], " x ", place.at[2]);
    shape[axis] = (room - window) / stride + 1;
  }
  return shape;
}

// Conv2d's and DeformConv2d's.
template <class Layer, class Options>
void add_window(Sequential& net, Place& place, Attributes& attributes, Options options) {
  require_map(place);
  const std::int64_t kernel = attributes.count("kernel", 3), stride = attributes.count("stride", 1),
                     padding = attributes.count("padding", 0, 0),
                     dilation = attributes.count("dilation", 1), out = attributes.count("out");
  options.kernel = kernel;
  options.stride = stride;
  options.padding = padding;
  options.dilation = dilation;
  options.groups = attributes.count("groups", 1);
  options.bias = attributes.flag("bias", true) ? Bias::yes : Bias::no;
  const Shape next = behind(place, kernel, stride, padding, dilation, out);
  net.add(Layer(place.channels(), out, options));
  place.at = next;
}

void add_conv(Sequential& net, Place& place, Attributes& attributes) {
  add_window<Conv2d>(net, place, attributes, Conv2dOptions{});
}

void add_deform_conv(Sequential& net, Place& place, Attributes& attributes) {
  DeformConv2dOptions options;
  options.offset_groups = attributes.count("offset_groups", 1);
  if (attributes.flag("modulated", false)) options.modulation = Modulation::twice_sigmoid;
  add_window<DeformConv2d>(net, place, attributes, options);
}

template <class Layer, class Options>
void add_pool(Sequential& net, Place& place, Attributes& attributes) {
  require_map(place);
  Options options;
  const std::int64_t kernel = attributes.count("kernel", 2);
  const std::int64_t stride = attributes.count("stride", kernel);
  const std::int64_t padding = attributes.count("padding", 0, 0);
  options.kernel = kernel;
  options.stride = stride;
  options.padding = padding;
  place.at = behind(place, kernel, stride, padding, 1, place.channels());
  net.add(Layer(options));
}

void add_global_avg_pool(Sequential& net, Place& place, Attributes&) {
  require_map(place);
  net.add(GlobalAvgPool2d());
  place.at = {1, place.channels()};
}

void add_flatten(Sequential& net, Place& place, Attributes&) {
  net.add(Flatten());
  place.at = {1, place.at.size()};
}

void add_linear(Sequential& net, Place& place, Attributes& attributes) {
  const std::int64_t out = attributes.count("out", place.classes);
  net.add(Linear(place.channels(), out,
                 {.bias = attributes.flag("bias", true) ? Bias::yes : Bias::no}));
  place.at[place.at.rank() - 1] = out;
}

void add_dropout(Sequential& net, Place&, Attributes& attributes) {
  net.add(Dropout(attributes.number("rate", 0.5, 0, 0.999)));
}

void add_group_norm(Sequential& net, Place& place, Attributes& attributes) {
  net.add(GroupNorm(attributes.count("groups"), place.channels()));
}

template <class Layer>
void add_norm(Sequential& net, Place& place, Attributes&) {
  net.add(Layer(place.channels()));
}

template <class Layer>
void add_plain(Sequential& net, Place&, Attributes&) {
  net.add(Layer());
}

using AddLayer = void (*)(Sequential&, Place&, Attributes&);

const std::map<std::string, AddLayer>& makers() {
  static const std::map<std::string, AddLayer> all = {
      {"avg_pool", add_pool<AvgPool2d, AvgPoolOptions>},
      {"batch_norm", add_norm<BatchNorm2d>},
      {"conv", add_conv},
      {"deform_conv", add_deform_conv},
      {"dropout", add_dropout},
      {"flatten", add_flatten},
      {"gelu", add_plain<Gelu>},
      {"global_avg_pool", add_global_avg_pool},
      {"group_norm", add_group_norm},
      {"layer_norm", add_norm<LayerNorm>},
      {"linear", add_linear},
      {"max_pool", add_pool<MaxPool2d, MaxPoolOptions>},
      {"relu", add_plain<Relu>},
      {"silu", add_plain<Silu>}};
  return all;
}

constexpr const char* kResidual = "residual";

[[noreturn]] void fail_unknown(const std::string& name) {
  std::vector<std::string> known = {kResidual};
  for (const auto& [each, add] : makers()) known.push_back(each);
  fail("there is no layer \"", name, "\"; did you mean \"", nearest_name(name, known), "\"?");
}

Sequential sequential_from(const Json& layers, Place& place);

// x + the layers: they must keep the shape.
void add_residual(Sequential& net, Place& place, const Json& layers) {
  const Shape before = place.at;
  Sequential body = sequential_from(layers, place);
  require(place.at == before, "its layers make ", place.at, " of ", before,
          ", but a residual keeps the shape");
  net.add(Residual(std::move(body)));
}

void add_layer(Sequential& net, Place& place, const std::string& name, const Json& content) {
  if (name == kResidual) {
    add_residual(net, place, content);
    return;
  }
  const auto found = makers().find(name);
  if (found == makers().end()) fail_unknown(name);
  require(content.is_object(), "expected {\"", name, "\": {..}}");
  Attributes attributes(name, content);
  found->second(net, place, attributes);
  attributes.require_all_known();
}

Sequential sequential_from(const Json& layers, Place& place) {
  require(layers.is_array() && !layers.empty(), "expected a list of layers");
  static const Json kNothing = Json::object();
  Sequential net;
  std::size_t number = 0;
  for (const Json& layer : layers) {
    const bool is_name = layer.is_string(), is_object = layer.is_object() && layer.size() == 1;
    try {
      require(is_name || is_object, "expected a name or {name: {attributes}}, got ",
              printable(kit::dump_json(layer), 80));
      if (is_name)
        add_layer(net, place, layer.get<std::string>(), kNothing);
      else
        add_layer(net, place, layer.begin().key(), layer.begin().value());
    } catch (const Error& error) {
      fail("layer ", number, ": ", error.what());
    }
    ++number;
  }
  return net;
}

}  // namespace

Sequential net_from(const Json& json, const NetShape& shape) {
  require(json.is_object() && json.size() == 1 && json.contains("layers"),
          "expected {\"layers\": [..]}");
  Place place{{1, shape.height, shape.width, shape.channels}, shape.classes};
  Sequential net = sequential_from(json["layers"], place);
  require(place.at == Shape({1, shape.classes}), "the net gives ", place.at, ", expected [1 ",
          shape.classes, "]: end it with a global_avg_pool or flatten and a linear");
  return net;
}

}  // namespace pliant::train
