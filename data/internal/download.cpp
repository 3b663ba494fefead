#include <pliant/data/internal/download.h>

#include <cmath>
#include <exception>
#include <memory>

#include <pliant/core/error.h>

#ifdef PLIANT_WITH_CURL
#include <curl/curl.h>
#endif

namespace pliant {

#ifdef PLIANT_WITH_CURL

namespace {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct Sink {
  AtomicFile& file;
  std::int64_t room;                // bytes
  std::exception_ptr failure = {};  // of the file: nothing may be thrown through libcurl
};

// Called by libcurl; another count than was offered ends the transfer.
std::size_t receive(char* data, std::size_t, std::size_t count, void* user) {
  auto* const sink = static_cast<Sink*>(user);
  sink->room -= static_cast<std::int64_t>(count);
  if (sink->room < 0) return 0;
  try {
    sink->file.write({data, count});
    return count;
  } catch (...) {
    sink->failure = std::current_exception();
    return 0;
  }
}

std::unique_ptr<CURL, FreeCurl> open_curl(const std::string& url, const DownloadOptions& options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(started == CURLE_OK, "download: libcurl cannot start");
  std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
  require(curl != nullptr, "download: libcurl cannot start");
  const auto set = [&](CURLoption option, auto value) {
    require(curl_easy_setopt(curl.get(), option, value) == CURLE_OK, "download: ", url,
            ": libcurl refuses an option");
  };
  set(CURLOPT_URL, url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "https,http,file");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS | CURLPROTO_HTTP | CURLPROTO_FILE));
  set(CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS));
#endif
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 5L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
  set(CURLOPT_LOW_SPEED_LIMIT, 1000L);
  set(CURLOPT_LOW_SPEED_TIME, std::lround(options.stall_seconds));
#if LIBCURL_VERSION_NUM >= 0x075700
  set(CURLOPT_QUICK_EXIT, 1L);  // else closing waits for a name lookup that has timed out
#endif
  return curl;
}

}  // namespace

bool can_download() { return true; }

void download(const std::string& url, AtomicFile& to, const DownloadOptions& options) {
  const auto curl = open_curl(url, options);
  Sink sink{to, options.max_bytes};
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &sink);
  const CURLcode code = curl_easy_perform(curl.get());
  if (sink.failure) std::rethrow_exception(sink.failure);
  require(sink.room >= 0, "download: ", url, ": more than ", options.max_bytes, " bytes");
  require(code == CURLE_OK, "download: ", url, ": ", curl_easy_strerror(code));
}

#else

bool can_download() { return false; }

void download(const std::string& url, AtomicFile&, const DownloadOptions&) {
  fail("download: ", url, ": this build has no libcurl");
}

#endif

void download(const std::string& url, const std::filesystem::path& to,
              const DownloadOptions& options) {
  AtomicFile file("download", to);
  download(url, file, options);
  file.commit();
}

}  // namespace pliant
