// IDX, the file format of MNIST: two zero bytes, the element type, the rank, one big-endian 32-bit
// size per axis, then the elements in row-major order (http://yann.lecun.com/exdb/mnist/).
#pragma once

#include <filesystem>

#include <pliant/core/tensor.h>
#include <pliant/data/digest.h>

namespace pliant {

// Reads an IDX file of bytes (element type 0x08), plain or gzip: uint8, of the shape in the file.
// A file that is missing, no IDX, of another type, shorter or longer than its header says, or
// corrupt is an Error of one line that names it. Memory grows with the bytes that really arrive,
// never with what the header promises. `content`, if given, receives what identifies the file's
// uncompressed bytes.
Tensor read_idx(const std::filesystem::path& path, ContentId* content = nullptr);

}  // namespace pliant
