// attention_bwd: for each batch and head, with p = exp(scale q k^T - lse) where query sees key:
//   dv = p^T g, ds = scale p (g v^T - rowsum(g out)), dq = ds k, dk = ds^T q
// q, out, g, dq (Q, D), k, v, dk, dv (K, D), placed by views, the gradients each in an output of
// its own or all in one; lse (B, H, Q). float32 and float64, accumulated in the type itself.
// Scores are computed again in blocks of kQueries x kKeys (Dao et al. 2022). Overwrites (`=`).
// Heads are independent and their blocks run in order: the same bits for any thread count.
#include <cmath>

#include "../runtime/parallel.h"
#include "attention.h"
#include "dispatch.h"
#include "register.h"
#include "vec_loop.h"
#include "vec_math.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

enum View { kG, kQ, kK, kV, kOut, kDq, kDk, kDv };

template <class T>
class AttentionBackward final : public Kernel {
 public:
  explicit AttentionBackward(const KernelSpec& spec)
      : call_(spec, {true, true, false, false, true, true, false, false}),
        joined_(spec.outputs.size() == 1),
        scale_(static_cast<T>(call_.scale)) {
    require_arity(spec, 6, joined_ ? 1 : 3);
    require_one_dtype(spec);
    const bool of_queries[] = {true, true, false, false, true, true, false, false};
    int64_t written = 0;
    for (size_t i = 0; i < 8; i++) {
      const TensorType& type = i < kDq ? spec.inputs[i] : spec.outputs[joined_ ? 0 : i - kDq];
      call_.require_inside(i, of_queries[i], type.numel());
      if (i >= kDq) written += call_.positions(of_queries[i]);
    }
    int64_t elements = 0;
    for (const TensorType& output : spec.outputs) elements += output.numel();
    require(elements == written * call_.batch * call_.heads * call_.features,
            "the outputs have another number of elements");
    require_shape("lse", spec.inputs[5].shape, {call_.batch, call_.heads, call_.queries});
  }

  // Of each thread: the packed keys and values, and two blocks of scores.
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
  // The operands of one head, at position 0, and its scratch.
  struct Head {
    const T *g, *q, *k, *v, *out, *lse;
    T *dq, *dk, *dv;
    T *packed_k, *packed_v, *p, *ds;
  };
  struct Block {
    int64_t query, queries, key, keys;
  };

  int64_t thread_elements() const { return 2 * packed_elements<T>(call_) + 2 * kQueries * kKeys; }
  int64_t step(View view) const { return call_.views[view].position; }

  void run_head(const Operands& operands, int64_t b, int64_t h, T* scratch) const {
    const auto in = [&](View view) { return operands.in<T>(view) + call_.views[view].at(b, h); };
    const auto out = [&](View view) {
      return operands.out<T>(joined_ ? 0 : view - kDq) + call_.views[view].at(b, h);
    };
    const int64_t packed = packed_elements<T>(call_);
    const Head head = {in(kG),
                       in(kQ),
                       in(kK),
                       in(kV),
                       in(kOut),
                       operands.in<T>(5) + (b * call_.heads + h) * call_.queries,
                       out(kDq),
                       out(kDk),
                       out(kDv),
                       scratch,
                       scratch + packed,
                       scratch + 2 * packed,
                       scratch + 2 * packed + kQueries * kKeys};
    pack_transposed(head.k, step(kK), call_.keys, call_.features, head.packed_k);
    pack_transposed(head.v, step(kV), call_.keys, call_.features, head.packed_v);
    for (int64_t key = 0; key < call_.keys; key++) {
      std::fill_n(head.dk + key * step(kDk), call_.features, T(0));
      std::fill_n(head.dv + key * step(kDv), call_.features, T(0));
    }
    for (int64_t query = 0; query < call_.queries; query += kQueries) {
      const int64_t queries = std::min(kQueries, call_.queries - query);
      const int64_t visible = call_.visible(query + queries - 1);
      for (int64_t key = 0; key < visible; key += kKeys) {
        run_block(head, {query, queries, key, std::min(kKeys, visible - key)});
      }
    }
  }

  void run_block(const Head& head, const Block& block) const {
    const int64_t panels = block.key * call_.features, features = call_.features;
    const T* q = head.q + block.query * step(kQ);
    const T* g = head.g + block.query * step(kG);
    multiply_packed(q, step(kQ), block.queries, block.keys, features, head.packed_k + panels,
                    head.p);
    multiply_packed(g, step(kG), block.queries, block.keys, features, head.packed_v + panels,
                    head.ds);
    for (int64_t i = 0; i < block.queries; i++) differentiate_row(head, block, i);

    const auto zero = [](int64_t) { return int64_t{0}; };
    const auto visible = [&](int64_t row) { return visible_keys(block, row); };
    multiply<T>({block.queries, features, head.ds, kKeys, 1, head.k + block.key * step(kK),
                 step(kK), head.dq + block.query * step(kDq), step(kDq), block.key > 0},
                zero, visible);
    // A key is seen by the queries from `first` on.
    const auto first = [&](int64_t key) {
      return call_.causal ? std::max<int64_t>(block.key + key - block.query, 0) : 0;
    };
    const auto all = [&](int64_t) { return block.queries; };
    multiply<T>({block.keys, features, head.ds, 1, kKeys, q, step(kQ),
                 head.dk + block.key * step(kDk), step(kDk), true},
                first, all);
    multiply<T>({block.keys, features, head.p, 1, kKeys, g, step(kG),
                 head.dv + block.key * step(kDv), step(kDv), true},
                first, all);
  }

  int64_t visible_keys(const Block& block, int64_t row) const {
    return std::clamp<int64_t>(call_.visible(block.query + row) - block.key, 0, block.keys);
  }

  // Scores and g v^T of a row become p and ds.
  void differentiate_row(const Head& head, const Block& block, int64_t i) const {
    const int64_t position = block.query + i;
    T *p = head.p + i * kKeys, *ds = head.ds + i * kKeys;
    const T lse = head.lse[position];
    const T delta = dot(head.g + position * step(kG), head.out + position * step(kOut));
    const int64_t count = visible_keys(block, i);
    for_each_vector<T>(count, [&](int64_t j, int lanes) {
      const Vec<T> probability = vexp(load_some(p + j, lanes) * scale_ - lse);
      store_some<T>(p + j, probability, lanes);
      const Vec<T> gradient = (load_some(ds + j, lanes) - delta) * probability * scale_;
      store_some<T>(ds + j, gradient, lanes);
    });
    std::fill(p + count, p + block.keys, T(0));
    std::fill(ds + count, ds + block.keys, T(0));
  }

  T dot(const T* a, const T* b) const {
    Vec<T> sums = {};
    for_each_vector<T>(call_.features, [&](int64_t i, int lanes) {
      sums += load_some(a + i, lanes) * load_some(b + i, lanes);
    });
    return lane_sum(sums);
  }

  const AttentionCall call_;
  const bool joined_;
  const T scale_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  return dispatch_floating(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<AttentionBackward<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return is_native_floating(spec.outputs[0].dtype); }

}  // namespace

void register_attention_bwd(Registry& registry) {
  registry.add({"attention_bwd", "portable", 0, supports, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
