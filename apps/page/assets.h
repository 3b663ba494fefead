// The style sheet of every page, put in at build time: page.css before a page's own rules, and
// page_last.css, which heeds narrow windows and what the reader prefers, after them.
#pragma once

#include <string_view>

namespace pliant::page {

extern const std::string_view kPageCss;
extern const std::string_view kPageLastCss;

}  // namespace pliant::page
