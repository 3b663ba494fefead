#include <pliant/apps/mnist/rows.h>

#include <algorithm>

#include <pliant/apps/kit/command_line.h>

namespace pliant::mnist {
namespace {

// A name of --rows.
struct Entry {
  const char* name;
  bool deformable;
  const char* finetune;
  std::vector<std::string> trained;  // besides the heads
  Statistics statistics;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {"none", false, "none", {}, Statistics::stay},
      {"bn-statistics", false, "bn-statistics", {}, Statistics::reestimate},
      {"bn", false, "bn", {"bn*"}, Statistics::move},
      {"all", false, "all", {"*"}, Statistics::move},
      {"offsets", true, "offsets", {}, Statistics::stay},
      {"offsets+bn", true, "offsets+bn", {"bn*"}, Statistics::move},
      {"deform-all", true, "all", {"*"}, Statistics::move},
  };
  return all;
}

// Peak learning rates, chosen on held-out images: docs/experiment.md.
double rate_of(const Entry& entry) {
  const std::string finetune = entry.finetune;
  if (!entry.deformable) return finetune == "bn" ? 3e-2 : finetune == "all" ? 3e-3 : 0;
  return finetune == "offsets+bn" ? 5e-4 : 1e-3;
}

RowKind kind_of(const Entry& entry, Deform deform) {
  RowKind kind{deform, entry.finetune, entry.trained, entry.statistics, rate_of(entry)};
  if (!entry.deformable || kind.finetune == "all") return kind;
  kind.trained.emplace_back("*.offset.*");
  if (has_mask(deform)) kind.trained.emplace_back("*.mask.*");
  if (has_context(deform)) kind.trained.emplace_back("*.context.*");
  return kind;
}

}  // namespace

std::string RowKind::key() const {
  return deformable() ? std::string(name_of(deform)) + "/" + finetune : finetune;
}

const std::vector<std::string>& head_patterns() {
  static const std::vector<std::string> patterns = {"*.offset.*", "*.mask.*", "*.context.*"};
  return patterns;
}

std::vector<RowKind> rows_from(const std::string& comma_separated,
                               const std::vector<Deform>& deforms) {
  std::string known;
  for (const Entry& entry : entries())
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  std::vector<const Entry*> regular, deformable;
  for (const std::string& name : kit::items_of("--rows", comma_separated)) {
    bool found = false;
    for (const Entry& entry : entries()) {
      if (name != entry.name && name != "every") continue;
      (entry.deformable ? deformable : regular).push_back(&entry);
      found = true;
    }
    require(found, "--rows: '", name, "' is none of every, ", known);
  }
  std::vector<RowKind> rows;
  rows.reserve(regular.size() + deforms.size() * deformable.size());
  for (const Entry* entry : regular) rows.push_back(kind_of(*entry, Deform::none));
  for (const Deform deform : deforms)
    for (const Entry* entry : deformable) rows.push_back(kind_of(*entry, deform));
  require(!rows.empty(), "--rows: names no row");
  return rows;
}

std::vector<Deform> deforms_from(const std::string& comma_separated) {
  std::vector<Deform> deforms;
  for (const std::string& name : kit::items_of("--deform", comma_separated))
    deforms.push_back(deform_from(name));
  return deforms;
}

}  // namespace pliant::mnist
