// An image of one digit, of any size and either polarity, in the form that MNIST's images have.
#pragma once

#include <cstdint>
#include <string>

#include <pliant/core/tensor.h>

namespace pliant {

enum class Polarity : unsigned char { light_on_dark, dark_on_light };

const char* name_of(Polarity polarity);  // "light on dark", "dark on light"

struct DigitImage {
  Tensor image;                                 // uint8 [28 28 1], light on black
  Polarity polarity = Polarity::light_on_dark;  // of the image that was given
};

// Makes of a gray image uint8 [H W 1] what MNIST's makers made of theirs
// (http://yann.lecun.com/exdb/mnist/): the ink is scaled with its proportions to fill a box of 20
// pixels, by area averaging where that shrinks it and bilinearly where it grows, and moved by whole
// pixels so that its centre of mass comes to rest at (14, 14). Otsu's threshold parts ink from
// ground; the ground is what fills more of the border and of the whole. It becomes 0 and the ink
// 255, so that contrast and brightness do not matter; uneven light does. What is lighter than a
// quarter of the ink plays no part in finding the box, and neither do specks much smaller than the
// digit. What is in this form already, as 98 of 100 images of MNIST are, comes out unchanged.
//
// An image without ink (less contrast than 24 of 255) is an Error that names `name`.
DigitImage digit_image(const Tensor& gray, const std::string& name);

}  // namespace pliant
