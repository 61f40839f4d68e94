// attention_fwd: for each batch and head, out = softmax(scale q k^T) v, lse = log sum exp of the
// scaled scores; causal: query i sees keys 0..i.
// q, out (Q, D), k, v (K, D), placed by views; lse (B, H, Q). float32 and float64, accumulated in
// the type itself. Scores live in blocks of kQueries x kKeys: the running maximum and sum of each
// row rescale what was added before (Milakov and Gimelshein 2018; Dao et al. 2022). Overwrites
// (`=`). Heads are independent: the same bits for any thread count.
#include <cmath>
#include <limits>

#include "../runtime/parallel.h"
#include "attention.h"
#include "dispatch.h"
#include "register.h"
#include "vec_loop.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

// Turns `count` scores into exp(scale score - max), zeros the rest of the row; the sum of the row.
template <class T>
T exponentiate(T* row, int64_t count, int64_t width, T scale, T max) {
  Vec<T> sums = {};
  T rest = 0;
  for_each_vector<T>(count, [&](int64_t i, int lanes) {
    const Vec<T> e = vexp(load_some(row + i, lanes) * scale - max);
    store_some<T>(row + i, e, lanes);
    if (lanes == kLanes<T>)
      sums += e;
    else
      for (int l = 0; l < lanes; l++) rest += e[l];
  });
  std::fill(row + count, row + width, T(0));
  return lane_sum(sums) + rest;
}

template <class T>
T scaled_max(const T* row, int64_t count, T scale) {
  T max = -std::numeric_limits<T>::infinity();
  Vec<T> maxima = splat(max);
  const int64_t whole = count - count % kLanes<T>;
  for (int64_t i = 0; i < whole; i += kLanes<T>) {
    const Vec<T> v = load(row + i) * scale;
    maxima = select(v > maxima, v, maxima);
  }
  for (int l = 0; l < kLanes<T>; l++) max = std::max(max, static_cast<T>(maxima[l]));
  for (int64_t i = whole; i < count; i++) max = std::max(max, row[i] * scale);
  return max;
}

template <class T>
class AttentionForward final : public Kernel {
 public:
  explicit AttentionForward(const KernelSpec& spec)
      : call_(spec, {true, false, false, true}), scale_(static_cast<T>(call_.scale)) {
    require_arity(spec, 3, 2);
    require_one_dtype(spec);
    for (size_t i = 0; i < 3; i++) call_.require_inside(i, i == 0, spec.inputs[i].numel());
    call_.require_inside(3, true, spec.outputs[0].numel());
    require(spec.outputs[0].numel() == call_.batch * call_.heads * call_.queries * call_.features,
            "the output has another number of elements");
    require_shape("lse", spec.outputs[1].shape, {call_.batch, call_.heads, call_.queries});
  }

  // Of each thread: the packed keys and a block of scores.
  size_t scratch_bytes() const override { return call_.threads * thread_elements() * sizeof(T); }

  void run(const Operands& operands) override {
    parallel_ranges(call_.threads, call_.batch * call_.heads,
                    [&](int64_t begin, int64_t end, int part) {
                      T* scratch = static_cast<T*>(operands.scratch) + part * thread_elements();
                      for (int64_t unit = begin; unit < end; unit++) {
                        run_head(operands, unit / call_.heads, unit % call_.heads, scratch);
                      }
                    });
  }

 private:
  // One block of queries of one head, and the running values of its rows.
  struct Block {
    int64_t first, queries;
    const T *q, *v;
    T* out;
    T* scores;
    T max[kQueries], sum[kQueries];
  };

  int64_t thread_elements() const { return packed_elements<T>(call_) + kQueries * kKeys; }

  void run_head(const Operands& operands, int64_t b, int64_t h, T* scratch) const {
    const auto& views = call_.views;
    T* scores = scratch + packed_elements<T>(call_);
    pack_transposed(operands.in<T>(1) + views[1].at(b, h), views[1].position, call_.keys,
                    call_.features, scratch);
    T* lse = operands.out<T>(1) + (b * call_.heads + h) * call_.queries;
    for (int64_t first = 0; first < call_.queries; first += kQueries) {
      Block block;
      block.first = first;
      block.queries = std::min(kQueries, call_.queries - first);
      block.q = operands.in<T>(0) + views[0].at(b, h) + first * views[0].position;
      block.v = operands.in<T>(2) + views[2].at(b, h);
      block.out = operands.out<T>(0) + views[3].at(b, h) + first * views[3].position;
      block.scores = scores;
      const int64_t visible = call_.visible(first + block.queries - 1);
      for (int64_t key = 0; key < visible; key += kKeys) {
        add_keys(block, key, std::min(kKeys, visible - key), scratch + key * call_.features);
      }
      finish(block, lse + first);
    }
  }

  // Adds keys [key, key + keys) to every row of the block.
  void add_keys(Block& block, int64_t key, int64_t keys, const T* panels) const {
    const HeadView &q = call_.views[0], &v = call_.views[2], &out = call_.views[3];
    multiply_packed(block.q, q.position, block.queries, keys, call_.features, panels, block.scores);
    const auto visible = [&](int64_t row) {
      return std::clamp<int64_t>(call_.visible(block.first + row) - key, 0, keys);
    };
    for (int64_t i = 0; i < block.queries; i++) {
      T* row = block.scores + i * kKeys;
      const int64_t count = visible(i);
      const T max = key == 0 ? scaled_max(row, count, scale_)
                             : std::max(block.max[i], scaled_max(row, count, scale_));
      const T sum = exponentiate(row, count, keys, scale_, max);
      if (key == 0) {
        block.sum[i] = sum;
      } else {
        const T factor = std::exp(block.max[i] - max);
        block.sum[i] = block.sum[i] * factor + sum;
        scale_row(block.out + i * out.position, factor);
      }
      block.max[i] = max;
    }
    const Product<T> product = {
        block.queries, call_.features, block.scores, kKeys,  1, block.v + key * v.position,
        v.position,    block.out,      out.position, key > 0};
    multiply(
        product, [](int64_t) { return int64_t{0}; }, visible);
  }

  void finish(const Block& block, T* lse) const {
    for (int64_t i = 0; i < block.queries; i++) {
      scale_row(block.out + i * call_.views[3].position, 1 / block.sum[i]);
      lse[i] = block.max[i] + std::log(block.sum[i]);
    }
  }

  void scale_row(T* row, T factor) const {
    for_each_vector<T>(call_.features, [&](int64_t i, int lanes) {
      store_some<T>(row + i, load_some(row + i, lanes) * factor, lanes);
    });
  }

  const AttentionCall call_;
  const T scale_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<AttentionForward<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.outputs[0].dtype); }

}  // namespace

void register_attention_fwd(Registry& registry) {
  registry.add({"attention_fwd", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
