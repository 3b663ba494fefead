#include <pliant/core/error.h>

#include <pliant/core/error_op.h>

namespace pliant {
namespace {

// Here and not in the header: kernels that are compiled for several processors would each have one.
thread_local const std::string* innermost = nullptr;
thread_local const char* outermost = nullptr;

bool names(const std::string& text, const std::string& path) {
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1], after = (text + "  ")[at + path.size()];
    if ((before == ' ' || before == '(') && (after == ')' || after == ':')) return true;
    if (before == ' ' && after == '.' && text[at + path.size() + 1] > '9') return true;
  }
  return false;
}

}  // namespace

ErrorPlace::ErrorPlace(const std::string& path) : outer_(innermost) {
  if (!path.empty()) innermost = &path;
}

ErrorPlace::~ErrorPlace() { innermost = outer_; }

std::string ErrorPlace::named(const std::string& given) {
  const std::string text = ErrorOp::named(given);
  if (innermost == nullptr || names(text, *innermost)) return text;
  const std::string place = " (" + *innermost + ")";
  const std::size_t colon = text.find(": ");
  return colon == std::string::npos ? text + place
                                    : text.substr(0, colon) + place + text.substr(colon);
}

ErrorOp::ErrorOp(const char* op) : outer_(outermost) {
  if (outermost == nullptr || op == nullptr) outermost = op;
}

ErrorOp::~ErrorOp() { outermost = outer_; }

const char* ErrorOp::name_of(const char* op) { return outermost == nullptr ? op : outermost; }

std::string ErrorOp::named(const std::string& text) {
  if (outermost == nullptr) return text;
  const std::string op = outermost;
  const char after = text.size() > op.size() ? text[op.size()] : ' ';
  return text.starts_with(op) && (after == ':' || after == ' ') ? text : op + ": " + text;
}

}  // namespace pliant
