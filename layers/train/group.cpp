#include <pliant/layers/train/group.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <optional>
#include <string_view>

#include <pliant/core/error.h>
#include <pliant/core/instruction_set.h>
#include <pliant/layers/module.h>
#include <pliant/layers/train/internal/transport.h>

namespace pliant {
namespace {

// What started this process says of it.
struct Place {
  const char* by;  // the variable of the rank
  int rank = 0, size = 1;
};

std::optional<int> number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  const std::string_view all(text);
  int value = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  require(error == std::errc() && end == all.data() + all.size() && value >= 0, variable, " is '",
          all, "', expected a number of ranks or of one of them");
  return value;
}

// The first of these that is set, in this order.
std::optional<Place> place_of_environment() {
  constexpr const char* kPairs[][2] = {{"RANK", "WORLD_SIZE"},
                                       {"SLURM_PROCID", "SLURM_NTASKS"},
                                       {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                       {"PMI_RANK", "PMI_SIZE"}};
  for (const auto& [rank_name, size_name] : kPairs) {
    const std::optional<int> rank = number_of(rank_name), size = number_of(size_name);
    if (!rank || !size) continue;
    require(*rank < *size, rank_name, " is ", *rank, " of ", *size, " (", size_name, ")");
    return Place{rank_name, *rank, *size};
  }
  return std::nullopt;
}

std::string kind_of(const Tensor& tensor) {
  return tensor.defined() ? text_from(tensor.dtype(), ' ', tensor.shape()) : "undefined";
}

// Calls f(tensor on the host), which may change it in place.
template <class F>
void through_host(Tensor& values, F&& f) {
  if (values.device().is_cpu()) {
    f(values);
    return;
  }
  Tensor host = values.to(Device::cpu());
  f(host);
  values.copy_from(host);
}

void sum_over(Transport& transport, const char* who, Tensor& host) {
  visit_floating(who, host.dtype(),
                 [&]<class T>() { transport.all_reduce(host.mutable_span<T>()); });
}

}  // namespace

Group::Group(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {
  if (transport_ == nullptr) return;
  rank_ = transport_->rank();
  size_ = transport_->size();
  if (size_ == 1) transport_ = nullptr;
}

Group Group::from_environment() {
  const std::optional<Place> place = place_of_environment();
  if (!place || place->size == 1) return {};
  const std::shared_ptr<Transport> transport = mpi_transport();
  require(transport != nullptr, "group: ", place->by, " says that this is one of ", place->size,
          " processes, but this build has no MPI: install it (libopenmpi-dev) and build anew");
  require(transport->size() == place->size && transport->rank() == place->rank,
          "group: ", place->by, " says rank ", place->rank, " of ", place->size, ", MPI rank ",
          transport->rank(), " of ", transport->size(),
          ": start the processes by mpirun or srun --mpi=pmix");
  const Group group(transport);
  group.require_same("group: the build",
                     text_from(PLIANT_VERSION, ", ", name_of(instruction_set())));
  return group;
}

int Group::run(const std::function<void(const Group&)>& f) {
  try {
    const Group group = from_environment();
    try {
      f(group);
      return 0;
    } catch (const GroupError& error) {
      if (group.leads()) throw;
      return 1;
    } catch (const std::exception& error) {
      if (group.size() > 1) group.abort(error.what());
      throw;
    }
  } catch (const std::exception& error) {
    std::cerr << "pliant: " << printable(error.what()) << std::endl;
    return 1;
  }
}

void Group::all_reduce(Tensor& values) const {
  if (transport_ == nullptr) return;
  require_same("all_reduce: the tensor", kind_of(values));
  through_host(values, [&](Tensor& host) { sum_over(*transport_, "all_reduce", host); });
}

void Group::broadcast(Tensor& values, int root) const {
  require(root >= 0 && root < size_, "broadcast: from rank ", root, " of ", size_);
  if (transport_ == nullptr) return;
  require_same("broadcast: the tensor", kind_of(values));
  through_host(values, [&](Tensor& host) { transport_->broadcast(writable(host), root); });
}

Tensor Group::all_gather(const Tensor& values) const {
  if (transport_ == nullptr) return values.clone();
  require_same("all_gather: the tensor", kind_of(values));
  require(values.rank() >= 1, "all_gather: the tensor has no axis to go along");
  const Tensor host = values.to(Device::cpu());
  Shape shape = values.shape();
  shape[0] *= size_;
  Tensor all = Tensor::empty(shape, values.dtype());
  std::byte* to = writable(all).data();
  for (const Bytes& one : transport_->all_gather(bytes_of(host))) {
    if (!one.empty()) std::memcpy(to, one.data(), one.size());
    to += one.size();
  }
  return all.to(values.device());
}

Tensor Group::reduce_scatter(const Tensor& values) const {
  if (transport_ == nullptr) return values.clone();
  require(values.defined() && values.rank() >= 1 && values.dim(0) % size_ == 0,
          "reduce_scatter: the tensor is ", kind_of(values), ", expected a multiple of ", size_,
          " along axis 0");
  Tensor sums = values.clone();
  all_reduce(sums);
  const std::int64_t part = values.dim(0) / size_;
  return sums.slice(rank_ * part, (rank_ + 1) * part).clone();
}

void Group::barrier() const {
  if (transport_ != nullptr) transport_->all_gather({});
}

void Group::broadcast(Module& net, int root) const {
  if (transport_ == nullptr) return;
  std::string parts;
  for (const auto& [path, tensor] : net.state())
    parts += text_from(path, ' ', kind_of(tensor), '\n');
  require_same("broadcast: the net", parts);
  State state = net.state();
  for (auto& [path, tensor] : state)
    through_host(tensor, [&](Tensor& host) { transport_->broadcast(writable(host), root); });
  net.load(state);
}

namespace {

template <class T>
T sum_of(Transport& transport, T value) {
  T total = 0;
  for (const Bytes& one : transport.all_gather(std::as_bytes(std::span(&value, 1)))) {
    T theirs = 0;
    require(one.size() == sizeof theirs, "sum: the ranks make different calls");
    std::memcpy(&theirs, one.data(), sizeof theirs);
    total += theirs;
  }
  return total;
}

}  // namespace

double Group::sum(double value) const {
  return transport_ == nullptr ? value : sum_of(*transport_, value);
}
std::int64_t Group::sum(std::int64_t value) const {
  return transport_ == nullptr ? value : sum_of(*transport_, value);
}

std::vector<std::string> Group::all_gather(const std::string& text) const {
  if (transport_ == nullptr) return {text};
  std::vector<std::string> texts;
  for (const Bytes& one : transport_->all_gather(std::as_bytes(std::span(text))))
    texts.emplace_back(reinterpret_cast<const char*>(one.data()), one.size());
  return texts;
}

void Group::require_same(const std::string& what, const std::string& text) const {
  const std::vector<std::string> all = all_gather(text);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    // The first line that differs says enough.
    std::string_view mine = all[rank], theirs = all[0];
    const auto line = [](std::string_view& rest) {
      const std::size_t end = rest.find('\n');
      const std::string_view first = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      return first;
    };
    std::string_view here, there;
    do {
      here = line(mine);
      there = line(theirs);
    } while (here == there);
    throw GroupError(printable(
        text_from(what, " differs: '", here, "' of rank ", rank, ", '", there, "' of rank 0")));
  }
}

void Group::abort(const std::string& why) const {
  if (transport_ != nullptr) transport_->abort(why);
  fail(why);
}

}  // namespace pliant
