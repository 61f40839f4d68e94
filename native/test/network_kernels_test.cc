// The kernels of whole layers (normalisation, pooling, attention, the LSTM, losses, tables of rows)
// and what products and convolutions do to their results, on sizes that fill no vector.
#include "exercise.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

// Weights and statistics of a norm over values of `dtype`.
DType statistics_type(DType dtype) { return dtype == DType::float64 ? dtype : DType::float32; }

Attrs window(double kernel, double stride, double padding) {
  return attrs({{"kernel_size", N{kernel, kernel}},
                {"stride", N{stride, stride}},
                {"padding", N{padding, padding}},
                {"dilation", N{1, 1}}});
}

}  // namespace

TEST("batch_norm") {
  for (DType dtype : kFloating) {
    for (const Shape& shape :
         {Shape{0, 3, 2, 2}, Shape{1, 1, 1, 1}, Shape{3, 5, 7}, Shape{2, 17, 3, 5}}) {
      const TensorType x{dtype, shape}, c{statistics_type(dtype), {shape[1]}};
      exercise("batch_norm_fwd", {x, c, c}, {x, c, c}, attrs({{"eps", 1e-5}}));
      exercise("batch_norm_fwd", {x, c, c, x}, {x, c, c},
               attrs({{"eps", 1e-5}, {"epilogue", S{"add", "relu"}}, {"channel", 1.0}}));
      exercise("batch_norm_bwd", {x, x, c, c, c}, {x, c, c},
               attrs({{"eps", 1e-5}, {"prologue", N{}}}));
      exercise("batch_norm_bwd", {x, x, c, c, c, x, x}, {x, c, c, x},
               attrs({{"eps", 1e-5}, {"prologue", S{"add", "relu"}}}));
    }
  }
}

TEST("layer_norm") {
  const Attrs flags = attrs({{"dims", 1.0}, {"eps", 1e-5}, {"weight", true}, {"bias", true}});
  const Attrs plain = attrs({{"dims", 1.0}, {"eps", 1e-5}, {"weight", false}, {"bias", false}});
  for (DType dtype : kFloating) {
    for (int64_t rows : {0, 1, 7}) {
      for (int64_t n : {1, 3, 17, 65}) {
        const TensorType x{dtype, {rows, n}}, w{dtype, {n}}, row{dtype, {rows}};
        exercise("layer_norm_fwd", {x, w, w}, {x, row, row}, flags);
        exercise("layer_norm_fwd", {x}, {x, row, row}, plain);
        exercise("layer_norm_bwd", {x, x, w, row, row}, {x, w, w}, flags);
        exercise("layer_norm_bwd", {x, x, row, row}, {x}, plain);
      }
    }
  }
}

TEST("max_pool2d_bwd") {
  for (DType dtype : kFloating) {
    // One window over each plane, so that any index is one of its own.
    for (int64_t side : {3, 5}) {
      for (int64_t planes : {0, 1, 17}) {
        const Shape windows{2, planes, 1, 1};
        exercise("max_pool2d_bwd", {{dtype, windows}, {DType::int32, windows}},
                 {{dtype, {2, planes, side, side}}}, window(static_cast<double>(side), 1, 0));
      }
    }
  }
}

TEST("avg_pool2d") {
  const Attrs bins = attrs({{"row_begin", N{0, 2, 4}},
                            {"row_end", N{3, 2, 7}},
                            {"row_divisor", N{3, 1, 3}},
                            {"column_begin", N{0, 3}},
                            {"column_end", N{4, 5}},
                            {"column_divisor", N{4, 2}}});
  for (DType dtype : kFloating) {
    for (int64_t planes : {0, 1, 17}) {
      const TensorType x{dtype, {2, planes, 7, 5}}, y{dtype, {2, planes, 3, 2}};
      exercise("avg_pool2d_fwd", {x}, {y}, bins);
      exercise("avg_pool2d_bwd", {y}, {x}, bins);
    }
  }
}

TEST("cross_entropy") {
  for (DType dtype : kFloating) {
    for (const char* reduction : {"none", "sum", "mean"}) {
      for (int64_t rows : {0, 1, 7}) {
        for (int64_t classes : {5, 17}) {
          const bool weighted = classes == 17;
          const Attrs options = attrs({{"ignore_index", 2.0},
                                       {"label_smoothing", 0.1},
                                       {"reduction", reduction},
                                       {"weight", weighted}});
          const TensorType x{dtype, {rows, classes}}, lse{dtype, {rows}}, total{dtype, {}};
          const TensorType loss = std::string(reduction) == "none" ? lse : total;
          Types operands{x, {DType::int64, {rows}}};
          if (weighted) operands.push_back({dtype, {classes}});
          exercise("cross_entropy_fwd", operands, {loss, lse, total}, options);
          operands.insert(operands.begin(), loss);
          operands.insert(operands.end(), {lse, total});
          exercise("cross_entropy_bwd", operands, {x}, options);
        }
      }
    }
  }
}

TEST("attention") {
  struct Case {
    int64_t b, h, q, k, d;
    bool causal;
  };
  const Case cases[] = {{1, 1, 1, 1, 1, true},
                        {2, 3, 5, 7, 9, false},
                        {1, 2, 67, 67, 17, true},
                        {1, 1, 3, 130, 33, false}};
  for (DType dtype : kFloating) {
    for (const Case& c : cases) {
      const auto number = [](int64_t size) { return static_cast<double>(size); };
      const Attrs options =
          attrs({{"sizes", N{number(c.b), number(c.h), number(c.q), number(c.k), number(c.d)}},
                 {"causal", c.causal},
                 {"scale", 0.5},
                 {"views", N{}}});
      const TensorType q{dtype, {c.b, c.h, c.q, c.d}}, k{dtype, {c.b, c.h, c.k, c.d}};
      const TensorType lse{dtype, {c.b, c.h, c.q}};
      exercise("attention_fwd", {q, k, k}, {q, lse}, options);
      exercise("attention_bwd", {q, q, k, k, q, lse}, {q, k, k}, options);
    }
  }
}

TEST("lstm") {
  struct Case {
    int64_t t, b, h;
  };
  for (DType dtype : kFloating) {
    for (const Case& c : {Case{0, 2, 3}, Case{1, 1, 1}, Case{3, 5, 7}, Case{2, 9, 17}}) {
      for (bool flag : {false, true}) {
        const Attrs options = attrs({{"batch_first", flag}, {"reverse", flag}});
        const auto sequence = [&](int64_t size) {
          return TensorType{dtype, flag ? Shape{c.b, c.t, size} : Shape{c.t, c.b, size}};
        };
        const TensorType w{dtype, {4 * c.h, c.h}}, state{dtype, {c.b, c.h}};
        const TensorType gates = sequence(4 * c.h), y = sequence(c.h);
        exercise("lstm_fwd", {gates, w, state, state}, {y, state, state, gates, y}, options);
        exercise("lstm_bwd", {y, state, state, w, state, state, y, gates, y},
                 {gates, w, state, state}, options);
      }
    }
  }
}

TEST("gather_rows and scatter_rows") {
  for (DType index : {DType::int32, DType::int64}) {
    for (DType dtype : kFloating) {
      for (int64_t n : kCounts) {
        const TensorType table{dtype, {5, n}}, rows{dtype, {2, 3, n}}, at{index, {2, 3}};
        exercise("gather_rows", {table, at}, {rows}, Attrs());
        exercise("scatter_rows", {rows, at}, {table}, attrs({{"padding", 1.0}}));
      }
    }
  }
}

TEST("epilogues of products and convolutions") {
  const Attrs linear = attrs({{"transpose_a", false},
                              {"transpose_b", true},
                              {"epilogue", S{"bias", "add", "gelu"}},
                              {"channel", -1.0}});
  const Attrs convolution = attrs({{"stride", N{1, 1}},
                                   {"padding", N{1, 1}},
                                   {"dilation", N{1, 1}},
                                   {"groups", 1.0},
                                   {"epilogue", S{"bias", "add", "relu"}},
                                   {"channel", 1.0}});
  for (DType dtype : kFloating) {
    for (int64_t m : {0, 1, 7, 37}) {
      for (int64_t n : {1, 17, 65}) {
        const TensorType y{dtype, {m, n}};
        exercise("matmul", {{dtype, {m, 9}}, {dtype, {n, 9}}, {dtype, {n}}, y}, {y, y}, linear);
      }
    }
    for (int64_t channels : {1, 6, 17}) {
      const TensorType y{dtype, {2, channels, 5, 7}};
      exercise("conv2d_fwd",
               {{dtype, {2, 3, 5, 7}}, {dtype, {channels, 3, 3, 3}}, {dtype, {channels}}, y}, {y},
               convolution);
    }
  }
}
