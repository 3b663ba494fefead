#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <pliant/core/kernels/deform_conv2d.h>
#include <pliant/core/parallel.h>
#include <pliant/tests/deform_conv2d_arrays.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("deformable convolution and its gradients agree with the sum that defines them") {
  const std::vector<Make> cases = {
      {},
      {.n = 1, .h = 1, .w = 1, .c = 1, .k = 1, .kernel = 1, .padding = 0},
      {.n = 1, .h = 1, .w = 1, .c = 3, .k = 2},
      {.n = 3, .h = 7, .w = 5, .c = 4, .k = 6, .stride = 2, .padding = 2, .dilation = 2},
      {.c = 4, .k = 6, .groups = 2},
      {.c = 6, .k = 4, .groups = 2, .offset_groups = 3},
      {.c = 6, .k = 6, .groups = 6, .offset_groups = 2},
      {.c = 4, .k = 4, .offset_groups = 4},
      {.n = 1, .h = 3, .w = 4, .c = 70, .k = 3},                      // blocks of channels
      {.n = 1, .h = 3, .w = 3, .c = 72, .k = 2, .offset_groups = 2},  // blocks of groups
      {.n = 1, .h = 3, .w = 3, .c = 72, .k = 72, .groups = 72},       // depthwise blocks
      {.n = 2, .h = 2, .w = 3, .c = 80, .k = 4, .groups = 2},         // blocks of weight groups
      {.n = 2, .h = 3, .w = 3, .c = 6, .k = 74, .groups = 2},         // groups of many outputs
      {.n = 1, .h = 3, .w = 2, .c = 72, .k = 40, .groups = 2, .offset_groups = 3},
      {.n = 2, .h = 3, .w = 3, .c = 18, .k = 36, .groups = 18},  // two outputs a channel
      {.n = 7, .h = 4, .w = 3, .c = 5, .k = 7, .kernel = 2, .padding = 1},
      {.n = 11, .h = 3, .w = 3, .c = 21, .k = 2, .stride = 2},
  };
  unsigned seed = 0;
  for (Make make : cases)
    for (const Border border : {Border::zeros, Border::dcn_v1})
      for (const bool masked : {true, false}) {
        make.border = border;
        CAPTURE(seed);
        const DeformGeometry g = geometry(make);
        Arrays<double> a = random_arrays(g, seed++);
        if (!masked) a.mask.clear(), a.bias.clear();
        const Values y = naive_forward(g, a);
        const NaiveGradients d = naive_gradients(g, a);
        agree<double>(g, a, y, d, 1e-11, 1e-8);
        agree<float>(g, a, y, d, 2e-5, 1e-4);
      }
}

TEST_CASE("zero offsets make a plain convolution, whole ones a shifted one, mask 0 the bias") {
  const DeformGeometry g = geometry({.n = 2, .h = 6, .w = 7, .c = 5, .k = 3, .stride = 2});
  const Conv2dGeometry& v = g.conv;
  Arrays<double> a = random_arrays(g, 1);
  for (const std::int64_t shift : {0, 1, -2}) {
    for (double& value : a.offset) value = static_cast<double>(shift);
    a.mask.clear();
    Values want(Sizes(g).y);
    for (std::int64_t i = 0; i < v.n * v.p * v.q * v.k; ++i) {
      const std::int64_t k = i % v.k, q = i / v.k % v.q, p = i / v.k / v.q % v.p;
      const std::int64_t n = i / v.k / v.q / v.p;
      double sum = a.bias[Sizes::size(k)];
      for (std::int64_t r = 0; r < v.r; ++r)
        for (std::int64_t s = 0; s < v.s; ++s) {
          const std::int64_t row = p * 2 - 1 + r + shift, column = q * 2 - 1 + s + shift;
          if (row < 0 || row >= v.h || column < 0 || column >= v.w) continue;
          for (std::int64_t c = 0; c < v.c; ++c)
            sum += a.x[Sizes::size(((n * v.h + row) * v.w + column) * v.c + c)] *
                   a.weight[Sizes::size(((k * v.r + r) * v.s + s) * v.c + c)];
        }
      want[Sizes::size(i)] = sum;
    }
    close(run(g, a).y, want, 1e-13);
  }
  a.mask.assign(Sizes(g).pairs, 0.0);
  const Result<double> got = run(g, a);
  for (std::size_t i = 0; i < got.y.size(); ++i) CHECK(got.y[i] == a.bias[i % 3]);
  for (const double value : got.dx) CHECK(value == 0);
}

TEST_CASE("deform_tap() is what the kernels sample") {
  const DeformGeometry g =
      geometry({.n = 1, .h = 6, .w = 5, .c = 1, .k = 1, .stride = 2, .padding = 2, .dilation = 2});
  Arrays<float> a = as<float>(random_arrays(g, 2));
  a.mask.clear(), a.bias.clear();
  std::vector<float> want(Sizes(g).y);
  for (std::int64_t row = 0; row < g.conv.p * g.conv.q; ++row)
    for (std::int64_t t = 0; t < 9; ++t) {
      const std::size_t pair = Sizes::size(deform_pair(g, row, 0, t));
      const BilinearTap<float> tap = deform_tap(g, row / g.conv.q, row % g.conv.q, t / 3, t % 3,
                                                a.offset[2 * pair], a.offset[2 * pair + 1]);
      for (int i = 0; i < 4; ++i)
        if (tap.pixel[i] >= 0)
          want[Sizes::size(row)] +=
              a.weight[Sizes::size(t)] * tap.weight[i] * a.x[Sizes::size(tap.pixel[i])];
    }
  close(run(g, a).y, Values(want.begin(), want.end()), 1e-6);
}

TEST_CASE("more taps than a batch of samples holds") {
  const DeformGeometry g = geometry(
      {.n = 1, .h = 3, .w = 3, .c = 2, .k = 1, .kernel = 12, .padding = 5, .offset_groups = 2});
  const Arrays<double> a = random_arrays(g, 4);
  agree<double>(g, a, naive_forward(g, a), naive_gradients(g, a), 1e-11, 1e-8);
}

TEST_CASE("an offset that starts at zero has the right-hand derivative") {
  DeformGeometry g = geometry({.n = 1, .h = 1, .w = 3, .c = 1, .k = 1, .kernel = 1, .padding = 0});
  Arrays<double> a{{2, 5, 11}, Values(6, 0.0), {}, {1}, {}, {1, 1, 1}};
  CHECK(run(g, a).doffset == Values{-2, 3, -5, 6, -11, -11});
  g.border = Border::dcn_v1;
  CHECK(run(g, a).doffset == Values{0, 3, 0, 6, 0, 0});
}

TEST_CASE("samples exactly on the edges and beyond, far away or nowhere") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Border border : {Border::zeros, Border::dcn_v1}) {
    const DeformGeometry g = geometry(
        {.n = 1, .h = 3, .w = 3, .c = 20, .k = 2, .kernel = 1, .padding = 0, .border = border});
    Arrays<double> a = random_arrays(g, 3);
    for (const double far : {-1.0, 3.0, 1e18, -1e18, 1e300, infinity, -infinity, std::nan("")})
      for (const std::size_t axis : {0u, 1u}) {
        a.offset.assign(18, 0.0);  // pixel (1, 1) looks elsewhere, all others at themselves
        a.offset[8 + axis] = far - 1;
        const Result<double> got = run(g, a);
        CAPTURE(far);
        CHECK(got.y[8] == a.bias[0]);
        const bool rises = far == -1 && border == Border::zeros;  // to the right of there
        CHECK((got.doffset[8 + axis] != 0) == rises);
        CHECK(got.doffset[9 - axis] == 0);
        CHECK(got.dmask[4] == 0);
        for (std::size_t c = 0; c < 20; ++c) CHECK(got.dx[80 + c] == 0);
        close(got.y, naive_forward(g, a), 1e-13);
        const Result<float> single = run(g, as<float>(a));
        CHECK((single.doffset[8 + axis] != 0) == rises);
        CHECK(single.doffset[9 - axis] == 0);
        CHECK(single.y[8] == static_cast<float>(a.bias[0]));
      }
    for (const double edge : {0.0, 2.0}) {
      a.offset[8] = edge - 1;
      a.offset[9] = edge - 1;
      close(run(g, a).y, naive_forward(g, a), 1e-13);
    }
  }
}

TEST_CASE("an empty batch gives empty maps and a zero weight gradient") {
  const DeformGeometry g = geometry({.n = 0});
  const Result<float> got = run(g, as<float>(random_arrays(g, 5)));
  CHECK(got.y.empty());
  for (const float value : got.dweight) CHECK(value == 0);
}

TEST_CASE("each gradient can be asked for alone and has the same bits") {
  for (const Make& make :
       std::vector<Make>{{.n = 2, .c = 70, .k = 5},
                         {.n = 17, .h = 5, .w = 6, .c = 70, .k = 70, .groups = 70},
                         {.n = 2, .c = 36, .k = 24, .groups = 12}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 6));
    const Result<float> all = run(g, a);
    const auto gradient = [&](float* dx, float* doffset, float* dmask, float* dweight) {
      Workspace workspace(Device::cpu());
      const float* const weight = dx || doffset || dmask ? a.weight.data() : nullptr;
      cpu::deform_conv_gradient(g,
                                {.x = a.x.data(),
                                 .offset = a.offset.data(),
                                 .mask = a.mask.data(),
                                 .weight = weight,
                                 .dy = a.dy.data(),
                                 .dx = dx,
                                 .doffset = doffset,
                                 .dmask = dmask,
                                 .dweight = dweight},
                                workspace);
    };
    Result<float> one = all;
    for (std::vector<float>* part : {&one.dx, &one.doffset, &one.dmask, &one.dweight})
      std::fill(part->begin(), part->end(), std::numeric_limits<float>::quiet_NaN());
    gradient(one.dx.data(), nullptr, nullptr, nullptr);
    gradient(nullptr, one.doffset.data(), nullptr, nullptr);
    gradient(nullptr, nullptr, one.dmask.data(), nullptr);
    gradient(nullptr, nullptr, nullptr, one.dweight.data());
    gradient(nullptr, nullptr, nullptr, nullptr);
    check_same(one, all);
  }
}

TEST_CASE("the bits do not depend on the number of threads") {
  const int before = thread_count();
  for (const Make& make :
       std::vector<Make>{{.n = 1, .h = 21, .w = 19, .c = 100, .k = 33},
                         {.n = 13, .h = 9, .w = 11, .c = 24, .k = 20, .offset_groups = 2},
                         {.n = 3, .h = 16, .w = 16, .c = 36, .k = 36, .groups = 36},
                         {.n = 3, .h = 16, .w = 15, .c = 36, .k = 48, .groups = 2},
                         {.n = 3, .h = 13, .w = 16, .c = 40, .k = 30, .groups = 10}}) {
    const DeformGeometry g = geometry(make);
    const Arrays<float> a = as<float>(random_arrays(g, 7));
    set_thread_count(1);
    const Result<float> one = run(g, a);
    for (const int threads : {2, 3}) {
      set_thread_count(threads);
      const Result<float> many = run(g, a);
      check_same(one, many);
    }
  }
  set_thread_count(before);
}
