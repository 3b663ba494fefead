// What a page is made of: escaped text, numbers, and pictures inside the page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <pliant/core/text.h>  // fixed

namespace pliant::page {

// For text and for attribute values: & < > " ' become entities.
std::string escaped(std::string_view text);

// "1 seed", "3 seeds".
std::string counted(std::int64_t count, const std::string& noun);

std::string base64(std::span<const std::uint8_t> bytes);

// A picture of `width` columns as a data: address of a PNG: grey, or with 3 channels red, green and
// blue of each pixel. What the page shows needs no file.
std::string png_address(std::span<const std::uint8_t> pixels, std::int64_t width,
                        std::int64_t channels = 1);

// Floats in 0..1 to bytes.
std::string png_address(std::span<const float> grey, std::int64_t width);

}  // namespace pliant::page
