#include <pliant/data/digest.h>

#include <pliant/core/crc32.h>
#include <pliant/core/error.h>

#ifdef PLIANT_WITH_OPENSSL
#include <openssl/evp.h>
#endif

namespace pliant {
namespace {

#ifdef PLIANT_WITH_OPENSSL

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
            "digest: OpenSSL has no SHA-256");
  }

  void update(const std::uint8_t* data, std::size_t size) {
    require(EVP_DigestUpdate(context_.get(), data, size) == 1, "digest: OpenSSL failed");
  }

  std::string finish() {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    require(EVP_DigestFinal_ex(context_.get(), hash, &length) == 1, "digest: OpenSSL failed");
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text += "0123456789abcdef"[hash[i] >> 4];
      text += "0123456789abcdef"[hash[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

constexpr const char* kCheckName = "SHA-256";

#else

class Sha256 {
 public:
  void update(const std::uint8_t*, std::size_t) {}
  std::string finish() { return {}; }
};

constexpr const char* kCheckName = "size and CRC-32";

#endif

}  // namespace

struct ContentDigest::State {
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;
  Sha256 sha;
};

ContentDigest::ContentDigest() : state_(std::make_unique<State>()) {}
ContentDigest::~ContentDigest() = default;

void ContentDigest::update(const std::uint8_t* data, std::size_t size) {
  state_->bytes += static_cast<std::int64_t>(size);
  state_->crc = crc32_of(data, size, state_->crc);
  state_->sha.update(data, size);
}

ContentId ContentDigest::finish() { return {state_->bytes, state_->crc, state_->sha.finish()}; }

const char* content_check_name() { return kCheckName; }

}  // namespace pliant
