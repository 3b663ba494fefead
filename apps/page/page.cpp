#include <pliant/apps/page/page.h>

#include <pliant/apps/page/assets.h>
#include <pliant/apps/page/text.h>
#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>

namespace pliant::page {

std::string html_of(const Page& page) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
      escaped(page.title) + "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n";
  for (const std::string_view rules : {kPageCss, page.style, kPageLastCss}) html += rules;
  html += "</style>\n</head>\n<body>\n" + page.body;
  if (!page.script.empty()) html += "<script>\n" + std::string(page.script) + "</script>\n";
  return html + "</body>\n</html>\n";
}

std::string section(const char* id, const char* title, const std::string& content) {
  return std::string("<section id=\"") + id + "\" aria-labelledby=\"" + id +
         "-title\">\n<h2 id=\"" + id + "-title\">" + escaped(title) + "</h2>\n" + content +
         "</section>\n";
}

std::string paragraph(const std::string& text, const char* name) {
  return std::string("<p") + (*name != '\0' ? std::string(" class=\"") + name + '"' : "") + ">" +
         escaped(text) + "</p>\n";
}

void prepare_page(const char* who, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, who, ": cannot make the folder ", folder.string(), ": ",
          reason_of(error.value()));
  remove_stale_temporaries(folder / "index.html");
  const AtomicFile proof(who, folder / "index.html");
}

void write_page(const char* who, const std::filesystem::path& folder, std::string_view html) {
  prepare_page(who, folder);
  AtomicFile file(who, folder / "index.html");
  file.write(html);
  file.commit();
}

}  // namespace pliant::page
