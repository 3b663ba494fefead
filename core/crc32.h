// CRC-32 (that of zip, PNG and Ethernet): tells damage from content, not one author from another.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pliant {

// Of `size` bytes after those that gave `before`: of a content in pieces, piece by piece from 0.
std::uint32_t crc32_of(const void* data, std::size_t size, std::uint32_t before = 0);

}  // namespace pliant
