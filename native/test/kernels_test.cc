// Every kernel on edge shapes: empty, one element, odd sizes. What the numbers should be is the
// conformance test's business (test/engine/).
#include <cstring>
#include <limits>

#include "exercise.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

const char* compute_type(DType dtype) {
  if (dtype == DType::float64) return "float64";
  return dtype == DType::float32 || is_half_width(dtype) ? "float32" : "int64";
}

DType sum_type(DType dtype) {
  bool integer = dtype == DType::int32 || dtype == DType::uint8 || dtype == DType::boolean;
  return integer ? DType::int64 : dtype;
}

// Each element of the output must be the input's of the same index.
void check_reorder(const TensorType& from, const TensorType& to) {
  const size_t size = itemsize(from.dtype), bytes = from.bytes();
  ExactBuffer rows(bytes), in(bytes), out(bytes), back(bytes);
  for (size_t i = 0; i < bytes; i++) {
    static_cast<uint8_t*>(rows.data())[i] = static_cast<uint8_t>(i / size * 37 + i % size);
  }
  copy_layout(from.shape, size, {}, rows.data(), from.layout, in.data());
  for (int threads : {1, 3}) {
    const KernelSpec spec{{from}, {to}, {}, threads};
    const LoadOptions options{threads};
    const Choice choice =
        choose_implementation(loaded_providers().registry, "reorder", spec, options);
    const void* inputs[] = {in.data()};
    void* outputs[] = {out.data()};
    out.fill(0xff);
    choice.make(spec)->run({inputs, outputs, nullptr});
    copy_layout(to.shape, size, to.layout, out.data(), {}, back.data());
    CHECK(std::memcmp(rows.data(), back.data(), bytes) == 0, describe(from) + ", " + describe(to));
  }
}

}  // namespace

TEST("pointwise") {
  for (DType dtype : kAll) {
    std::string computed = compute_type(dtype);
    Attrs program = attrs({{"fns", S{"add", "mul", "const", "where"}},
                           {"types", S{computed, computed, computed, computed}},
                           {"args", N{0, 1, -1, 2, 1, -1, -1, -1, -1, 0, 3, 4}},
                           {"imms", N{0, 0, 2, 0}},
                           {"results", N{5, 2}}});
    for (int64_t n : kCounts) {
      exercise("pointwise", {{dtype, {n}}, {dtype, {n}}}, {{dtype, {n}}, {dtype, {n}}}, program);
      exercise("pointwise", {{dtype, {3, 1}}, {dtype, {n}}}, {{dtype, {3, n}}, {dtype, {3, n}}},
               program);
      exercise("pointwise", {{dtype, {}}, {dtype, {2, n, 5}}},
               {{dtype, {2, n, 5}}, {DType::float32, {2, n, 5}}}, program);
    }
  }
}

TEST("reduce and arg_reduce") {
  for (DType dtype : kAll) {
    for (int64_t n : kCounts) {
      for (const char* fn : {"sum", "prod", "amax", "amin"}) {
        bool extreme = fn[0] == 'a';
        if (extreme && n == 0) continue;
        DType out = extreme ? dtype : sum_type(dtype);
        exercise("reduce", {{dtype, {n}}}, {{out, {}}}, attrs({{"fn", fn}, {"dims", N{0}}}));
        exercise("reduce", {{dtype, {3, n}}}, {{out, {3}}}, attrs({{"fn", fn}, {"dims", N{1}}}));
        exercise("reduce", {{dtype, {n, 5}}}, {{out, {5}}}, attrs({{"fn", fn}, {"dims", N{0}}}));
        exercise("reduce", {{dtype, {2, n, 3, 2}}}, {{out, {2, 3}}},
                 attrs({{"fn", fn}, {"dims", N{1, 3}}}));
      }
      if (n == 0) continue;
      for (const char* fn : {"argmax", "argmin"}) {
        exercise("arg_reduce", {{dtype, {3, n}}}, {{DType::int64, {3}}},
                 attrs({{"fn", fn}, {"dim", 1.0}}));
        exercise("arg_reduce", {{dtype, {n, 2}}}, {{DType::int64, {2}}},
                 attrs({{"fn", fn}, {"dim", 0.0}}));
      }
    }
  }
}

TEST("views, cat, fill and arange") {
  for (DType dtype : kAll) {
    for (int64_t n : kCounts) {
      double columns = static_cast<double>(n);
      exercise("copy_view", {{dtype, {3, n}}}, {{dtype, {n, 3}}},
               attrs({{"offset", 0.0}, {"strides", N{1, columns}}}));
      exercise("copy_view", {{dtype, {n}}}, {{dtype, {n}}},
               attrs({{"offset", n == 0 ? 0 : columns - 1}, {"strides", N{-1}}}));
      exercise("place_view", {{dtype, {n}}}, {{dtype, {n, 2}}},
               attrs({{"offset", n == 0 ? 0.0 : 1.0}, {"strides", N{2}}, {"fill", 1.0}}));
      exercise("cat", {{dtype, {2, n}}, {dtype, {2, 0}}, {dtype, {2, 3}}}, {{dtype, {2, n + 3}}},
               attrs({{"dim", 1.0}}));
      exercise("fill", {}, {{dtype, {n}}}, attrs({{"value", 1.0}}));
      if (dtype == DType::boolean) continue;
      exercise("arange", {}, {{dtype, {n}}}, attrs({{"start", 1.0}, {"step", 2.0}}));
    }
  }
}

TEST("philox") {
  TensorType word{DType::int64, {}};
  for (int64_t n : kCounts) {
    for (DType dtype : kFloating) {
      for (const char* fn : {"uniform", "normal"}) {
        exercise("philox", {word, word}, {{dtype, {n}}}, attrs({{"fn", fn}, {"offset", 3.0}}));
      }
    }
    exercise("philox", {word, word}, {{DType::int64, {n}}},
             attrs({{"fn", "bits"}, {"offset", 0.0}}));
  }
}

TEST("matmul") {
  const int64_t sizes[][3] = {{0, 3, 2}, {3, 0, 2},  {3, 2, 0},    {1, 1, 1},   {1, 33, 1},
                              {5, 7, 3}, {1, 17, 9}, {37, 65, 33}, {3, 500, 2}, {130, 3, 70}};
  for (DType dtype : kFloating) {
    for (const auto& [m, k, n] : sizes) {
      for (int transposes = 0; transposes < 4; transposes++) {
        bool a = (transposes & 1) != 0;
        bool b = (transposes & 2) != 0;
        Attrs flags = attrs({{"transpose_a", a}, {"transpose_b", b}});
        Shape left = a ? Shape{k, m} : Shape{m, k};
        Shape right = b ? Shape{n, k} : Shape{k, n};
        exercise("matmul", {{dtype, left}, {dtype, right}}, {{dtype, {m, n}}}, flags);
        left.insert(left.begin(), 3);
        right.insert(right.begin(), 3);
        exercise("matmul", {{dtype, left}, {dtype, right}}, {{dtype, {3, m, n}}}, flags);
      }
    }
  }
}

TEST("conv2d") {
  struct Case {
    int64_t n, c, h, w, o, kernel, stride, padding, dilation, groups;
  };
  const Case cases[] = {
      {0, 3, 5, 5, 2, 3, 1, 0, 1, 1},  {1, 1, 1, 1, 1, 1, 1, 0, 1, 1},
      {2, 3, 7, 9, 6, 5, 1, 2, 1, 1},  {1, 4, 9, 7, 6, 3, 2, 1, 1, 2},
      {2, 5, 11, 8, 5, 3, 1, 2, 2, 5}, {1, 17, 6, 5, 19, 1, 1, 0, 1, 1},
      {3, 2, 4, 4, 3, 4, 3, 3, 1, 1},
  };
  for (DType dtype : kFloating) {
    for (const Case& c : cases) {
      auto out = [&](int64_t size) {
        return (size + 2 * c.padding - c.dilation * (c.kernel - 1) - 1) / c.stride + 1;
      };
      double stride = static_cast<double>(c.stride);
      double padding = static_cast<double>(c.padding);
      double dilation = static_cast<double>(c.dilation);
      Attrs window = attrs({{"stride", N{stride, stride}},
                            {"padding", N{padding, padding}},
                            {"dilation", N{dilation, dilation}},
                            {"groups", static_cast<double>(c.groups)}});
      TensorType x{dtype, {c.n, c.c, c.h, c.w}};
      TensorType w{dtype, {c.o, c.c / c.groups, c.kernel, c.kernel}};
      TensorType y{dtype, {c.n, c.o, out(c.h), out(c.w)}};
      exercise("conv2d_fwd", {x, w}, {y}, window);
      exercise("conv2d_bwd_data", {y, w}, {x}, window);
      exercise("conv2d_bwd_weight", {y, x}, {w}, window);
    }
  }
}

TEST("max_pool2d_fwd") {
  for (DType dtype : kFloating) {
    auto pool = [&](Shape x, Shape y, double kernel, double stride, double padding) {
      exercise("max_pool2d_fwd", {{dtype, x}}, {{dtype, y}, {DType::int32, y}},
               attrs({{"kernel_size", N{kernel, kernel}},
                      {"stride", N{stride, stride}},
                      {"padding", N{padding, padding}},
                      {"dilation", N{1, 1}}}));
    };
    pool({0, 2, 4, 4}, {0, 2, 2, 2}, 2, 2, 0);
    pool({1, 1, 1, 1}, {1, 1, 1, 1}, 1, 1, 0);
    pool({2, 3, 7, 9}, {2, 3, 3, 4}, 2, 2, 0);
    pool({1, 17, 9, 5}, {1, 17, 5, 3}, 3, 2, 1);
  }
}

TEST("softmax and log_softmax") {
  for (DType dtype : kFloating) {
    for (const char* kernel : {"softmax", "log_softmax"}) {
      for (int64_t n : kCounts) {
        exercise(kernel, {{dtype, {3, n}}}, {{dtype, {3, n}}}, attrs({{"dim", 1.0}}));
        exercise(kernel, {{dtype, {n, 3}}}, {{dtype, {n, 3}}}, attrs({{"dim", 0.0}}));
        exercise(kernel, {{dtype, {n}}}, {{dtype, {n}}}, attrs({{"dim", 0.0}}));
      }
    }
  }
}

TEST("gather and scatter_add") {
  for (DType index : {DType::int32, DType::int64}) {
    for (int64_t n : kCounts) {
      for (DType dtype : kFloating) {
        exercise("gather", {{dtype, {5, n}}, {index, {2, n}}}, {{dtype, {2, n}}},
                 attrs({{"dim", 0.0}}));
        exercise("scatter_add", {{dtype, {n, 3}}, {index, {n, 3}}}, {{dtype, {n, 5}}},
                 attrs({{"dim", 1.0}}));
      }
    }
    for (const char* kernel : {"gather", "scatter_add"}) {
      TensorType narrow{DType::float32, {2}};
      TensorType wide{DType::float32, {5}};
      bool gather = std::string(kernel) == "gather";
      Program program = one_call(kernel, {gather ? narrow : wide, {index, {5}}},
                                 {gather ? wide : narrow}, attrs({{"dim", 0.0}}));
      std::string message = message_of([&] { run_twice(program, {1, true}); });
      CHECK(message.find(std::string("[") + kernel + "]") == 0, message);
      CHECK(message.find("(at test)") != std::string::npos, message);
    }
  }
}

TEST("fused_sgd, fused_adam and clip_norm") {
  const Attrs sgd = attrs({{"momentum", 0.9},
                           {"weight_decay", 0.1},
                           {"nesterov", true},
                           {"maximize", false},
                           {"scaled", true}});
  const Attrs adam = attrs({{"beta1", 0.9},
                            {"beta2", 0.99},
                            {"eps", 1e-8},
                            {"weight_decay", 0.1},
                            {"amsgrad", true},
                            {"maximize", false},
                            {"scaled", false}});
  for (DType dtype : kFloating) {
    const TensorType scalar{dtype, {}};
    for (int64_t n : kCounts) {
      const TensorType a{dtype, {n}}, b{dtype, {3, n}};
      exercise("fused_sgd", {scalar, scalar, scalar, a, a, a, b, b, b}, {a, a, b, b}, sgd);
      exercise("fused_adam", {scalar, scalar, scalar, a, a, a, a, a, b, b, b, b, b},
               {a, a, a, a, b, b, b, b}, adam);
      for (double p : {1.0, 2.0, std::numeric_limits<double>::infinity()}) {
        exercise("clip_norm", {a, b}, {scalar, scalar},
                 attrs({{"max_norm", 1.0}, {"norm_type", p}}));
      }
    }
  }
}

TEST("reorder gives the elements in the other layout") {
  const Axes none, block = {{1, 16}}, pairs = {{1, 8}, {0, 16}, {1, 2}};
  const Axes pairs_back = {{0, 8}, {1, 16}, {0, 2}}, square = {{1, 16}, {0, 16}};
  for (const Shape& shape : {Shape{32, 48, 3, 3}, Shape{64, 64, 1, 1}, Shape{16, 16, 5, 7},
                             Shape{48, 112, 17, 2}, Shape{0, 16, 2, 2}, Shape{1, 16, 1, 1}}) {
    std::vector<Layout> layouts = {{}, Layout::blocked(shape, {0, 2, 3, 1}, none)};
    for (const Axes& blocks : {block, pairs, pairs_back, square}) {
      layouts.push_back(Layout::blocked(shape, {0, 1, 2, 3}, blocks));
    }
    for (DType dtype : {DType::uint8, DType::bfloat16, DType::float32, DType::float64}) {
      for (const Layout& from : layouts) {
        for (const Layout& to : layouts) check_reorder({dtype, shape, from}, {dtype, shape, to});
      }
    }
  }
}

TEST("a call with the wrong number of operands is refused") {
  for (const Implementation& implementation : loaded_providers().registry.all()) {
    Program program = one_call(implementation.kernel, {}, {}, Attrs());
    std::string message =
        message_of([&] { LoadedProgram(program, loaded_providers().registry, {}); });
    CHECK(!message.empty(), implementation.kernel);
  }
}
