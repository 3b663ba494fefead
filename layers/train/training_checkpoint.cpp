#include <pliant/layers/train/training_checkpoint.h>

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <set>
#include <string_view>

#include <pliant/core/atomic_file.h>
#include <pliant/core/crc32.h>
#include <pliant/core/text.h>
#include <pliant/layers/safetensors.h>

namespace pliant {
namespace {

// In the file's metadata, and before the names of its tensors.
constexpr const char *kFormat = "format", *kVersion = "pliant training 1", *kChecksum = "crc32";
const std::string kRecipe = "recipe/", kText = "text/";
const std::string kNet = "net/", kOptimizer = "optimizer/", kAverage = "average/";
const std::string kKey = "key/", kCount = "count/", kNumber = "number/";
const std::string kStep = "step", kEpoch = "epoch", kBatch = "batch";

// Of all tensors with their names, types and shapes, and of what the metadata say.
std::string checksum_of(const SafetensorsFile& file) {
  std::uint32_t crc = 0;
  const auto add = [&crc](std::string_view text) {
    crc = crc32_of(text.data(), text.size(), crc);
    crc = crc32_of("", 1, crc);  // the 0 at its end: so that "a", "bc" is not "ab", "c"
  };
  for (const auto& [name, tensor] : file.tensors) {
    add(name);
    add(text_from(tensor.dtype(), ' ', tensor.shape()));
    crc = crc32_of(tensor.raw(), static_cast<std::size_t>(tensor.bytes()), crc);
  }
  for (const auto& [key, text] : file.metadata)
    if (key != kChecksum) {
      add(key);
      add(text);
    }
  return std::to_string(crc);
}

// What the file's tensors hold, taken out part by part.
class Contents {
 public:
  explicit Contents(SafetensorsFile file) : file_(std::move(file)) {
    require(file_.skipped.empty(), file_.skipped_text());
  }

  // Those whose names begin with `prefix`, without it.
  State take(const std::string& prefix) {
    State state;
    std::erase_if(file_.tensors, [&](const auto& entry) {
      if (!entry.first.starts_with(prefix)) return false;
      state.emplace_back(entry.first.substr(prefix.size()), entry.second);
      return true;
    });
    return state;
  }

  std::int64_t take_count(const std::string& name) {
    const State found = take(name);
    require(found.size() == 1 && found[0].first.empty(), "it has no ", name);
    return scalar<std::int64_t>(name, found[0].second);
  }

  template <class T, class Value>
  void take_scalars(const std::string& prefix, std::map<std::string, Value>& to, auto value_of) {
    for (const auto& [name, tensor] : take(prefix))
      to.insert_or_assign(name, value_of(scalar<T>(prefix + name, tensor)));
  }

  std::map<std::string, std::string> texts(const std::string& prefix) const {
    std::map<std::string, std::string> texts;
    for (const auto& [key, text] : file_.metadata)
      if (key.starts_with(prefix)) texts[key.substr(prefix.size())] = text;
    return texts;
  }

  void require_all_taken() const {
    if (!file_.tensors.empty())
      fail("it has ", printable(file_.tensors[0].first, 80), ", which this training does not have");
  }

 private:
  template <class T>
  static T scalar(const std::string& name, const Tensor& tensor) {
    require(tensor.dtype() == dtype_of<T> && tensor.rank() == 0, "its ", printable(name, 80),
            " is a ", tensor.dtype(), ' ', tensor.shape(), ", expected a single ", dtype_of<T>);
    return tensor.data<T>()[0];
  }

  SafetensorsFile file_;
};

void append(State& to, const std::string& prefix, const State& from) {
  for (const auto& [path, tensor] : from) to.emplace_back(prefix + path, tensor.to(Device::cpu()));
}

template <class T>
void append_scalar(State& to, const std::string& name, T value) {
  to.emplace_back(name, Tensor::from<T>({value}, {}));
}

void append_position(State& to, const TrainingPosition& position) {
  append_scalar(to, kStep, position.step);
  append_scalar(to, kEpoch, position.epoch);
  append_scalar(to, kBatch, position.batch);
  for (const auto& [name, rng] : position.keys)
    append_scalar(to, kKey + name, std::bit_cast<std::int64_t>(rng));
  for (const auto& [name, count] : position.counts) append_scalar(to, kCount + name, count);
  for (const auto& [name, number] : position.numbers) append_scalar(to, kNumber + name, number);
}

TrainingPosition take_position(Contents& contents) {
  TrainingPosition position;
  position.step = contents.take_count(kStep);
  position.epoch = contents.take_count(kEpoch);
  position.batch = contents.take_count(kBatch);
  require(position.step >= 0 && position.epoch >= 0 && position.batch >= 0, "it stands at step ",
          position.step, ", epoch ", position.epoch, ", batch ", position.batch);
  contents.take_scalars<std::int64_t>(kKey, position.keys,
                                      [](std::int64_t key) { return std::bit_cast<Rng>(key); });
  contents.take_scalars<std::int64_t>(kCount, position.counts, std::identity());
  contents.take_scalars<double>(kNumber, position.numbers, std::identity());
  position.texts = contents.texts(kText);
  return position;
}

// The tensors of each part, in the order of a TrainingParts.
struct States {
  State net;
  std::vector<State> optimizers;
  State average;
};

States states_of(const TrainingParts& parts) {
  States states{parts.net.state(), {}, {}};
  for (const auto& [name, optimizer] : parts.optimizers)
    states.optimizers.push_back(optimizer.get().state());
  if (parts.average != nullptr) states.average = parts.average->state();
  return states;
}

void load_all(const TrainingParts& parts, const States& states) {
  parts.net.load(states.net);
  for (std::size_t i = 0; i < parts.optimizers.size(); ++i)
    parts.optimizers[i].second.get().load(states.optimizers[i]);
  if (parts.average != nullptr) parts.average->load(states.average);
}

// All or nothing: each part loads all or nothing of its own, and the last may refuse what suits
// the first.
void load_or_restore(const TrainingParts& parts, const States& states, const States& before) {
  try {
    load_all(parts, states);
  } catch (...) {
    load_all(parts, before);
    throw;
  }
}

void check_names(const TrainingParts& parts) {
  std::set<std::string> names;
  for (const auto& [name, optimizer] : parts.optimizers)
    require(!name.empty() && name.find('/') == std::string::npos && names.insert(name).second,
            "TrainingCheckpoint: an optimizer is named '", name,
            "', expected names without '/', each once");
}

// load() converts, and then the training would go on in other bits.
void check_types(const State& there, const State& here) {
  std::map<std::string, DType> types;
  for (const auto& [path, tensor] : here) types.emplace(path, tensor.dtype());
  for (const auto& [path, tensor] : there) {
    const auto own = types.find(path);
    require(own == types.end() || own->second == tensor.dtype(), path, " is ", tensor.dtype(),
            " there and ", own == types.end() ? tensor.dtype() : own->second, " here");
  }
}

// Whether something stands at `file`; an Error if that cannot be found out, or it is nothing that a
// checkpoint could be: to read a pipe would wait for its writer.
bool stands(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return false;
  require(status.type() != std::filesystem::file_type::none,
          "it cannot be looked at: ", reason_of(error.value()));
  require(!std::filesystem::is_directory(status), "it is a folder");
  require(std::filesystem::is_regular_file(status), "it is no regular file");
  return true;
}

// A letter that may not be printed, or is no ASCII, as its number, so that no two texts become one:
// a name in it may be no UTF-8, which the file could not hold.
std::string escaped(const std::string& text) {
  constexpr const char* kDigits = "0123456789abcdef";
  if (printable(text) == text && text.find('\\') == std::string::npos) return text;
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '\\')
      result += c;
    else
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return result;
}

const std::string* find(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? nullptr : &found->second;
}

void require_version(const SafetensorsFile& file) {
  const std::string* const format = find(file, kFormat);
  require(format != nullptr && *format == kVersion, "its format is ",
          format == nullptr ? "not given" : "'" + printable(*format, 40) + "'", ", expected '",
          kVersion, "': it is of another version, or no training's checkpoint");
}

// Whether it is a checkpoint at all, whole and of this training.
Contents checked(SafetensorsFile file, const TrainingRecipe& recipe) {
  require_version(file);
  const std::string* const checksum = find(file, kChecksum);
  require(checksum != nullptr && *checksum == checksum_of(file), "its checksum is wrong");
  Contents contents(std::move(file));
  const std::string other = difference(contents.texts(kRecipe), recipe);
  require(other.empty(), "it belongs to another training: ", other);
  return contents;
}

}  // namespace

std::string difference(const TrainingRecipe& there, const TrainingRecipe& here) {
  const auto text = [](const TrainingRecipe& recipe, const std::string& key) {
    const auto found = recipe.find(key);
    return found == recipe.end() ? "not given" : printable(found->second, 80);
  };
  const auto line = [&](const std::string& key) {
    return printable(key, 80) + " is " + text(there, key) + " there and " + text(here, key) +
           " here";
  };
  for (const auto& [key, value] : here)
    if (const auto found = there.find(key); found == there.end() || found->second != value)
      return line(key);
  for (const auto& [key, value] : there)
    if (!here.contains(key)) return line(key);
  return {};
}

TrainingCheckpoint::TrainingCheckpoint(std::filesystem::path file, const TrainingRecipe& recipe)
    : file_(std::move(file)) {
  for (const auto& [key, value] : recipe) recipe_[escaped(key)] = escaped(value);
  remove_stale_temporaries(file_);
}

void TrainingCheckpoint::save(const TrainingParts& parts, const TrainingPosition& position) const {
  check_names(parts);
  const States states = states_of(parts);
  SafetensorsFile file;
  append(file.tensors, kNet, states.net);
  for (std::size_t i = 0; i < states.optimizers.size(); ++i)
    append(file.tensors, kOptimizer + parts.optimizers[i].first + '/', states.optimizers[i]);
  append(file.tensors, kAverage, states.average);
  append_position(file.tensors, position);
  file.metadata[kFormat] = kVersion;
  for (const auto& [key, value] : recipe_) file.metadata[kRecipe + key] = value;
  for (const auto& [key, text] : position.texts) file.metadata[kText + key] = text;
  file.metadata[kChecksum] = checksum_of(file);
  write_safetensors(file_, file);
}

bool TrainingCheckpoint::load(const TrainingParts& parts, TrainingPosition& position,
                              const std::function<void(const TrainingPosition&)>& check) const {
  check_names(parts);
  try {
    if (!stands(file_)) return false;
    require(::access(file_.c_str(), R_OK) == 0, "it cannot be read: ", reason_of(errno));
  } catch (const Error& error) {  // which says nothing against what is in there
    fail("checkpoint ", file_.string(), ": ", error.what());
  }
  const States before = states_of(parts);
  try {
    Contents contents = checked(read_safetensors(file_), recipe_);
    States states{contents.take(kNet), {}, {}};
    check_types(states.net, before.net);
    for (const auto& [name, optimizer] : parts.optimizers)
      states.optimizers.push_back(contents.take(kOptimizer + name + '/'));
    if (parts.average != nullptr) states.average = contents.take(kAverage);
    TrainingPosition read = take_position(contents);
    contents.require_all_taken();
    if (check) check(read);
    load_or_restore(parts, states, before);
    position = std::move(read);
    return true;
  } catch (const std::exception& error) {
    fail("checkpoint ", file_.string(), " cannot be used (", error.what(),
         "); delete it to start this training over");
  }
}

void TrainingCheckpoint::remove() const {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

void require_training_checkpoint(const std::filesystem::path& file) {
  try {
    if (stands(file)) require_version(read_safetensors(file));
  } catch (const Error& error) {
    fail(file.string(), ": is where the checkpoint of this training goes, but no checkpoint (",
         error.what(), "); move it away, or choose another place");
  }
}

}  // namespace pliant
