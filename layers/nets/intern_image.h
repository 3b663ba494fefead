// InternImage (Wang et al. 2023) and its successor with DCNv4 (Xiong et al. 2024): nets all of whose
// spatial mixing is deformable, at sizes for small images.
#pragma once

#include <optional>
#include <vector>

#include <pliant/layers/dcn_v3.h>
#include <pliant/layers/dcn_v4.h>
#include <pliant/layers/nets/options.h>

namespace pliant {

enum class InternCore : unsigned char { dcn_v3, dcn_v4 };

struct InternImageOptions {
  std::int64_t classes = 1000;  // 0: there is no classifier; the net gives its features
  std::int64_t channels = 3;    // of the images
  std::int64_t width = 64;      // of the first stage; each next has twice as many channels
  std::vector<int> blocks = {4, 4, 18, 4};
  std::int64_t group_channels = 16;  // of a group of the core
  InternCore core = InternCore::dcn_v3;
  double offset_scale = 1;
  double expansion = 4;  // of the linear layers in a block
  // imagenet: two 3x3 convolutions of stride 2 come first; small: of stride 1 and 2.
  Stem stem = Stem::imagenet;
};

// h = x + core(norm1(x)), then h + mlp(norm2(h)): the deformable core and two linear layers with
// GELU between them, each after a LayerNorm.
class InternBlock : public Module {
 public:
  InternBlock(std::int64_t channels, const InternImageOptions& options);

  Var operator()(const Var& x) const;

 private:
  Forward own_core(std::int64_t channels, const InternImageOptions& options);

  LayerNorm norm1_;
  Forward core_;
  LayerNorm norm2_;
  Sequential mlp_;
};

// [N H W channels] -> logits [N classes], or features [N C]. Parts: stem, stage1 .. (blocks 0 ..),
// down1 .. between them, norm, head. The widths differ from the published ones; weights of those do
// not load.
class InternImage : public Module {
 public:
  explicit InternImage(const InternImageOptions& options = {});

  Var operator()(const Var& images) const;

 private:
  Sequential stem_;
  std::vector<Sequential> stages_, downs_;
  LayerNorm norm_;
  std::optional<Linear> head_;
};

// For images of 32 x 32: width 64, three stages of 2, 2 and 4 blocks, the small stem.
InternImage intern_image_small(std::int64_t classes, std::int64_t channels = 3,
                               InternCore core = InternCore::dcn_v3);

}  // namespace pliant
