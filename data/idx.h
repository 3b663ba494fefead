// IDX, the file format of MNIST: two zero bytes, the element type, the rank, one big-endian 32-bit
// size per axis, then the elements in row-major order (http://yann.lecun.com/exdb/mnist/).
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include <pliant/core/tensor.h>
#include <pliant/data/digest.h>

namespace pliant {

// Reads an IDX file of bytes (element type 0x08), plain or gzip: uint8, of the shape in the file.
// A file that is missing, no IDX, of another type, shorter or longer than its header says, or
// corrupt is an Error of one line that names it. Memory grows with the bytes that really arrive,
// never with what the header promises, and never beyond that. `content`, if given, receives what
// identifies the file's uncompressed bytes. A header that promises more than `most_bytes`, itself
// included, is an Error before any element is read.
Tensor read_idx(const std::filesystem::path& path, ContentId* content = nullptr,
                std::int64_t most_bytes = std::numeric_limits<std::int64_t>::max());

// The same of 32 bit integers (element type 0x0C): int32.
Tensor read_idx_int32(const std::filesystem::path& path);

}  // namespace pliant
