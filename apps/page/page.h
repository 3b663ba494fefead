// A page to look at: one file, index.html, which needs no other file and no network.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pliant::page {

struct Page {
  std::string title;                         // of the window, as text
  std::string body;                          // HTML
  std::string_view style = {}, script = {};  // of its own, besides page.css
};
std::string html_of(const Page& page);

// <section> with a heading; `title` is text, `content` HTML.
std::string section(const char* id, const char* title, const std::string& content);
// <p>, of the class `name` if it is not empty.
std::string paragraph(const std::string& text, const char* name = "");

// Makes the folder and proves that FOLDER/index.html can be written. Errors begin with `who`, say
// the option that names the folder.
void prepare_page(const char* who, const std::filesystem::path& folder);
// Makes the folder and writes FOLDER/index.html: a temporary file that is then renamed.
void write_page(const char* who, const std::filesystem::path& folder, std::string_view html);

}  // namespace pliant::page
