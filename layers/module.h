// Module: what owns parameters, buffers and other modules, and knows each by a path.
//
//   struct Net : Module {
//     Conv2d stem = own("stem", Conv2d(1, 32, {.kernel = 3, .padding = 1}));
//     Linear head = own("head", Linear(32, 10));
//     Var operator()(const Var& x) const { return head(global_avg_pool2d(relu(stem(x)))); }
//   };
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <pliant/autograd/parameter.h>
#include <pliant/autograd/var.h>
#include <pliant/layers/initialisers.h>

namespace pliant {

struct SafetensorsFile;
struct WindowCall;
class Module;

// A layer from Var to Var, whatever its type.
using Forward = std::function<Var(const Var&)>;

template <class M>
concept Layer = std::derived_from<M, Module> && requires(const M& layer, const Var& x) {
  { layer(x) } -> std::convertible_to<Var>;
};

// Tensors by path, in the order in which the net owns them.
using State = std::vector<std::pair<std::string, Tensor>>;

// Whether both have the same paths in the same order, with the same dtypes, shapes and bits (so NaN
// equals itself, and -0 does not equal 0), wherever their tensors are.
bool equal(const State& a, const State& b);

// The order of a convolution's weight in a file.
enum class Layout : unsigned char {
  stated,  // as the file says, or its shapes where they leave no doubt
  nhwc,    // [out R S in], as here: of files from before layouts were stated
};

struct LoadOptions {
  // Patterns of paths that the state may lack; what it lacks keeps its value. One that matches no
  // path of the net is an Error, unless it names a branch of deformable layers ("*.mask.*").
  std::vector<std::string> may_lack = {};
  Layout layout = Layout::stated;  // of a file
};

// Moved, never copied; a copy is spelled `Net best; best.load(net.state());`. The tree lives in
// shared nodes, so a moved net and the handles taken from it stay one. A part can be replaced:
// `net.head = Linear(8, 5);` puts the new layer in the old one's place in the tree, and so does
// `net.head.weight = Parameter(tensor);` with a parameter, also if the old one was moved out before
// (std::exchange, std::swap), which remains in the tree until then and is a net of its own from then
// on. Either is new to an optimizer, and empty before net.head.initialise(rng) if it has no tensor.
// A part that was destroyed otherwise (by std::optional::emplace, say) leaves a hole, which is an
// Error when the tree is next asked.
class Module {
 public:
  Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  Module(Module&& other) noexcept;
  Module& operator=(Module&& other);
  ~Module();  // never destroyed through a Module*

  // Gives every parameter and buffer its first values, each by the key rng.fork(its path), so that
  // a layer's do not depend on what else the net has. float32 on the CPU, or the dtype and device
  // that it has already.
  void initialise(const Rng& rng);
  // Moves (converts the floating) parameters and buffers. Each must be filled.
  void to(Device device);
  void to(DType dtype);

  // All in the tree, in the order in which they are owned; name() of each is its path.
  std::vector<Parameter> parameters() const;
  std::vector<Buffer> buffers() const;
  // Elements of all parameters; of those that are not frozen.
  std::int64_t parameter_count() const;
  std::int64_t trainable_count() const;

  // Sets the frozen flag of whatever `pattern` matches: paths of parameters, and paths of modules,
  // which stand for all that is in them. `*` matches any run of characters, dots too; later calls
  // win; matching nothing is an Error. A module's own flag governs its buffers: freeze("norm.*")
  // freezes weight and bias, freeze("norm") the running statistics too.
  void freeze(std::string_view pattern) { set_frozen(pattern, true); }
  void unfreeze(std::string_view pattern) { set_frozen(pattern, false); }
  bool frozen() const;
  // Sets Parameter::lr_factor() of what `pattern` matches, in the same way. Of deformable layers,
  // "*.offset.*", "*.mask.*" and "*.rotation.*" are the branches, "*.offset_mask.*" that of DCNv4,
  // and "*.context.*" what an OffsetContext adds to them.
  void set_lr_factor(std::string_view pattern, double factor);

  // A copy of all parameters and buffers that are now.
  State state() const;
  // Copies a state in, in place, converted to the dtype and device that each has (an empty one
  // takes the state's). Missing, unexpected and misshapen entries are one Error, and then nothing
  // is changed. Weights are in the order that state() gives, [out R S in]: those whose shape fits
  // PyTorch's alone are refused by name; where a shape fits both, the order is the caller's word.
  // Returns the paths that options.may_lack excused.
  std::vector<std::string> load(const State& state, const LoadOptions& options = {});

  // The same to and from a safetensors file; load returns the file's metadata. save() says in it
  // that weights are "layout": "nhwc". A net that owns no tensor is an Error in both. A file in
  // PyTorch's order is refused, and so is one that does not say its order if its weights fit in
  // both; load_torchvision() of layers/nets/torchvision.h reads PyTorch's, for any net.
  void save(const std::filesystem::path& file,
            const std::map<std::string, std::string>& metadata = {}) const;
  std::map<std::string, std::string> load(const std::filesystem::path& file,
                                          const LoadOptions& options = {});

  // Path from the outermost module; empty for that itself.
  const std::string& path() const&;
  std::string path() && { return std::as_const(*this).path(); }
  // A row for each module of the tree, outermost first: its path and the number of elements of the
  // parameters it owns itself.
  std::vector<std::pair<std::string, std::int64_t>> modules() const;

  // The part at a path of this net ("layer4.0.conv1"; "0" of a Sequential), itself and no copy; the
  // second form has its own type. A path that leads nowhere is an Error that names the nearest one
  // that does, and so is another type than the part's.
  Module& part(std::string_view path) &;
  const Module& part(std::string_view path) const& { return part_at(path); }
  const Module& part(std::string_view path) const&& = delete;  // it would dangle
  template <std::derived_from<Module> M>
  M& part(std::string_view path) & {
    return static_cast<M&>(part_at(path, &typeid(M)));
  }
  template <std::derived_from<Module> M>
  const M& part(std::string_view path) const& {
    return static_cast<const M&>(part_at(path, &typeid(M)));
  }
  // The parameter at a path: a handle.
  Parameter parameter(std::string_view path) const;

  // Puts a layer in the place of the part at that path, as an assignment to it does: a part of a
  // Sequential or a Residual makes way for any layer, one that is a member of a class for one of its
  // own type; else an Error. New and empty, it wants net.part(path).initialise(rng).
  template <std::derived_from<Module> M>
  void replace(std::string_view path, M layer) &;

  // A question that can be asked later: whether this very object is still where it is, neither
  // destroyed nor moved.
  std::function<bool()> still_here() const;

 protected:
  // Take a part into the tree under `name` (unique here, without dots) and return it. An empty
  // parameter or buffer needs an initialiser. Whatever a tree has already is refused: a parameter
  // that is used in two places has one owner, and both lift it.
  template <std::derived_from<Module> M>
  M own(const std::string& name, M&& child) {
    adopt(name, child, typeid(M));
    return std::forward<M>(child);
  }
  template <std::derived_from<Module> M>
  M own(const std::string& name, M& child) {  // refused, in a sentence
    static_assert(
        !std::derived_from<M, Module>,
        "own() takes a layer over: make it there, own(\"name\", Linear(8, 5)), or move it, "
        "own(\"name\", std::move(layer))");
    return own(name, std::move(child));
  }
  Parameter own(const std::string& name, Parameter parameter, Initialiser initialiser = {});
  Buffer own(const std::string& name, Buffer buffer, Initialiser initialiser = {});

  // Says where this calls its part of that name: there replace() puts another layer.
  void calls_through(const std::string& name, const std::shared_ptr<Forward>& call);
  bool has_part(const std::string& name) const;

  // Tells the thread's Observer, if there is one, that this layer gave `output`; returns it. One
  // that reads by windows says how.
  Var observed(const char* kind, Var output, std::int64_t multiply_adds = 0) const;
  Var observed(const char* kind, Var output, std::int64_t multiply_adds,
               const WindowCall& window) const;

 private:
  struct Node;
  struct Leaf;

  struct Place {
    std::weak_ptr<Node> net;
    std::size_t entry = 0;
  };

  Node& node() const;
  Place place() const noexcept;
  void arrive(Module& other) noexcept;
  void take_place_of(Module& other);
  void return_to_place(Module& other);
  void adopt(const std::string& name, const Module& child, const std::type_info& type);
  Module& part_at(std::string_view path, const std::type_info* type = nullptr) const;
  std::shared_ptr<Forward> make_way(std::string_view path, const Module& layer,
                                    const std::type_info& type);
  Leaf& add_leaf(const std::string& name, Buffer& buffer, Initialiser initialiser);
  void require_tensors(const char* who) const;
  void check_layout(const SafetensorsFile& file, Layout layout) const;
  void set_frozen(std::string_view pattern, bool frozen);
  template <class OnModule, class OnParameter>
  void each_match(const char* what, std::string_view pattern, OnModule&& on_module,
                  OnParameter&& on_parameter);
  std::vector<Leaf*> leaves() const;

  std::shared_ptr<Node> node_;
  Place left_;  // where what was moved out of here is in its net
};

// The call of a layer, which it keeps.
template <Layer M>
Forward forward_of(M layer) {
  const auto kept = std::make_shared<M>(std::move(layer));
  return [kept](const Var& x) {
    const ErrorPlace here(kept->path());
    return (*kept)(x);
  };
}

template <std::derived_from<Module> M>
void Module::replace(std::string_view path, M layer) & {
  if constexpr (Layer<M>) {
    if (const std::shared_ptr<Forward> call = make_way(path, layer, typeid(M)))
      *call = forward_of(std::move(layer));
    else
      part<M>(path) = std::move(layer);
  } else {
    part<M>(path) = std::move(layer);
  }
}

}  // namespace pliant
