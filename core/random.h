// Rng: an immutable key into a counter-based random function (Philox4x32-10, Salmon et al. 2011).
// Nothing advances: number i of a key is a pure function, the same on every device and thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include <pliant/core/portable.h>

namespace pliant {

struct Philox4 {
  std::uint32_t word[4];
};

// Ten rounds of Philox4x32 on a 128-bit counter.
PLIANT_HD inline Philox4 philox(std::uint64_t key, std::uint64_t counter_low,
                                std::uint64_t counter_high) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low),
                c1 = static_cast<std::uint32_t>(counter_low >> 32),
                c2 = static_cast<std::uint32_t>(counter_high),
                c3 = static_cast<std::uint32_t>(counter_high >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c0 = n0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = n2;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0) { key_ = mix(seed, 0x5EED); }

  // Independent keys: one per name or number.
  Rng fork(std::string_view name) const {
    std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return Rng(Key{mix(hash, 0x4E414D45)});
  }
  PLIANT_HD Rng fork(std::uint64_t number) const { return Rng(Key{mix(number, 0x4E554D42)}); }

  // 32 uniform bits, number `index` of this key.
  PLIANT_HD std::uint32_t bits(std::uint64_t index) const {
    return philox(key_, index >> 2, 0).word[index & 3];
  }
  // Uniform in [0, 1) with 24 bits: exactly a float.
  PLIANT_HD float uniform(std::uint64_t index) const {
    return static_cast<float>(bits(index) >> 8) * 0x1p-24f;
  }
  // Uniform in [low, high). Rounded once, so that no compiler's choice changes the bits.
  PLIANT_HD double uniform(std::uint64_t index, double low, double high) const {
    const Philox4 r = philox(key_, index, 1);
    const std::uint64_t wide = (std::uint64_t{r.word[0]} << 32 | r.word[1]) >> 11;
    return std::fma(high - low, static_cast<double>(wide) * 0x1p-53, low);
  }
  // Standard normal (Box-Muller).
  PLIANT_HD double normal(std::uint64_t index) const {
    const Philox4 r = philox(key_, index, 2);
    const double u = (static_cast<double>(r.word[0]) + 1.0) * 0x1p-32;
    const double v = static_cast<double>(r.word[1]) * 0x1p-32;
    return ::sqrt(-2.0 * ::log(u)) * ::cos(6.283185307179586 * v);
  }
  // Uniform integer in [0, bound), bound >= 1 (bias below 2^-32 for bounds below 2^32).
  PLIANT_HD std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    const Philox4 r = philox(key_, index, 3);
    return (std::uint64_t{r.word[0]} << 32 | r.word[1]) % bound;
  }

  // What the key is made of, to be written down: from_key(rng.key()) gives the same numbers.
  PLIANT_HD std::uint64_t key() const { return key_; }
  PLIANT_HD static Rng from_key(std::uint64_t key) { return Rng(Key{key}); }

 private:
  struct Key {
    std::uint64_t value;
  };
  PLIANT_HD explicit Rng(Key key) : key_(key.value) {}
  PLIANT_HD std::uint64_t mix(std::uint64_t value, std::uint64_t domain) const {
    const Philox4 r = philox(key_, value, domain << 32);
    return std::uint64_t{r.word[0]} << 32 | r.word[1];
  }

  std::uint64_t key_ = 0;
};

}  // namespace pliant
