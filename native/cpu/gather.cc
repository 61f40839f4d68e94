// gather:      out[a][m][c] = x[a][index[a][m][c]][c]   for dim 1 of a dense x (.., K, ..)
// scatter_add: out = 0, then out[a][index[a][m][c]][c] += src[a][m][c] in flat order of src
// scatter:     out = x, then out[a][index[a][m][c]][c] = fn(that, src[a][m][c]) in flat order of
// src x, out, src may have any rank; the index is int32 or int64, no larger than x outside `dim`.
// gather and scatter's `set` move any dtype; scatter and scatter_add compute in the output's dtype
// on one thread: always one order.
// An index outside [0, K) throws std::runtime_error.
#include <algorithm>
#include <atomic>
#include <string>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"
#include "strides.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;

[[noreturn]] void throw_out_of_range(int64_t index, int64_t dim, int64_t size) {
  throw std::runtime_error("index " + std::to_string(index) + " is out of range for dimension " +
                           std::to_string(dim) + " of size " + std::to_string(size));
}

// How the index's places map to the indexed tensor: the place less its part along `dim`.
struct Indexing {
  int64_t dim;
  int64_t size;    // of the indexed tensor along `dim`
  int64_t stride;  // of the indexed tensor along `dim`
  int64_t count;   // of the index
  std::vector<Dim> dims;

  Indexing(const Shape& indexed, const Shape& index, int64_t along)
      : dim(along), count(numel(index)) {
    require(index.size() == indexed.size(), "the index has another rank");
    require_dim(dim, indexed.size());
    if (indexed.empty()) {
      size = stride = 1;
      dims.push_back({1, 0});
      return;
    }
    std::vector<int64_t> strides = contiguous_strides(indexed);
    for (size_t i = 0; i < index.size(); i++) {
      require(static_cast<int64_t>(i) == dim || index[i] <= indexed[i],
              "the index is larger than the indexed tensor");
    }
    size = indexed[dim];
    stride = strides[dim];
    strides[dim] = 0;
    dims = collapse(index, strides);
    if (dims.empty()) dims.push_back({1, 0});
    check_rank(dims);
  }

  // Calls body(place in the index, place in the indexed tensor) for [begin, end); stops and
  // returns false at the first bad index, which it leaves in `bad`.
  template <class I, class Body>
  bool walk(const I* index, int64_t begin, int64_t end, int64_t* bad, const Body& body) const {
    if (begin >= end) return true;
    bool good = true;
    const int64_t step = dims.back().stride;
    for_each_run(dims, begin, end, [&](int64_t offset, int64_t at, int64_t length) {
      for (int64_t i = 0; good && i < length; i++) {
        const int64_t chosen = index[begin + at + i];
        if (static_cast<uint64_t>(chosen) >= static_cast<uint64_t>(size)) {
          good = false;
          *bad = chosen;
          return;
        }
        body(begin + at + i, offset + i * step + chosen * stride);
      }
    });
    return good;
  }
};

template <class T, class I>
class Gather final : public Kernel {
 public:
  explicit Gather(const KernelSpec& spec)
      : indexing_(spec.inputs[0].shape, spec.inputs[1].shape, spec.attrs.integer("dim")),
        threads_(useful_threads(spec.threads, indexing_.count, kGrain)) {}

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    const I* index = operands.in<I>(1);
    T* out = operands.out<T>(0);
    std::atomic<int64_t> bad{0};
    std::atomic<bool> good{true};
    parallel_ranges(threads_, indexing_.count, [&](int64_t begin, int64_t end, int) {
      int64_t wrong = 0;
      const auto copy = [=](int64_t to, int64_t from) { out[to] = x[from]; };
      if (!indexing_.walk(index, begin, end, &wrong, copy)) {
        bad = wrong;
        good = false;
      }
    });
    if (!good) throw_out_of_range(bad, indexing_.dim, indexing_.size);
  }

 private:
  Indexing indexing_;
  int threads_;
};

template <class T, class I>
class ScatterAdd final : public Kernel {
 public:
  explicit ScatterAdd(const KernelSpec& spec)
      : indexing_(spec.outputs[0].shape, spec.inputs[1].shape, spec.attrs.integer("dim")),
        count_(spec.outputs[0].numel()) {}

  void run(const Operands& operands) override {
    const T* src = operands.in<T>(0);
    T* out = operands.out<T>(0);
    std::fill(out, out + count_, T(0));
    int64_t bad = 0;
    const auto add = [=](int64_t from, int64_t to) {
      out[to] = static_cast<T>(out[to] + src[from]);
    };
    if (!indexing_.walk(operands.in<I>(1), 0, indexing_.count, &bad, add)) {
      throw_out_of_range(bad, indexing_.dim, indexing_.size);
    }
  }

 private:
  Indexing indexing_;
  int64_t count_;
};

struct Set {
  template <class T>
  static T of(T, T b) {
    return b;
  }
};
struct Add {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a + b);
  }
};
struct Multiply {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a * b);
  }
};
// NaN wins.
struct Maximum {
  template <class T>
  static T of(T a, T b) {
    return a != a || a > b ? a : b;
  }
};
struct Minimum {
  template <class T>
  static T of(T a, T b) {
    return a != a || a < b ? a : b;
  }
};

template <class Fn>
struct ScatterBy {
  template <class T, class I>
  class Of final : public Kernel {
   public:
    explicit Of(const KernelSpec& spec)
        : indexing_(spec.outputs[0].shape, spec.inputs[1].shape, spec.attrs.integer("dim")),
          count_(spec.outputs[0].numel()) {}

    void run(const Operands& operands) override {
      const T* x = operands.in<T>(0);
      const T* src = operands.in<T>(2);
      T* out = operands.out<T>(0);
      if (x != out) std::copy(x, x + count_, out);
      int64_t bad = 0;
      const auto put = [=](int64_t from, int64_t to) { out[to] = Fn::of(out[to], src[from]); };
      if (!indexing_.walk(operands.in<I>(1), 0, indexing_.count, &bad, put)) {
        throw_out_of_range(bad, indexing_.dim, indexing_.size);
      }
    }

   private:
    Indexing indexing_;
    int64_t count_;
  };
};

template <template <class, class> class K, class T>
std::unique_ptr<Kernel> make_indexed(const KernelSpec& spec, size_t inputs = 2) {
  require_arity(spec, inputs);
  require(spec.inputs[0].dtype == spec.outputs[0].dtype, "operands must have one dtype");
  const DType index = spec.inputs[1].dtype;
  if (index == DType::int64) return std::make_unique<K<T, int64_t>>(spec);
  if (index == DType::int32) return std::make_unique<K<T, int32_t>>(spec);
  throw std::invalid_argument("the index must be int32 or int64");
}

std::unique_ptr<Kernel> make_gather(const KernelSpec& spec) {
  require_shape("the output", spec.outputs[0].shape, spec.inputs[1].shape);
  return dispatch_size(spec.outputs[0].dtype, [&](auto tag) {
    return make_indexed<Gather, typename decltype(tag)::type>(spec);
  });
}

std::unique_ptr<Kernel> make_scatter_add(const KernelSpec& spec) {
  require_shape("the index", spec.inputs[1].shape, spec.inputs[0].shape);
  return dispatch_full_width(spec.outputs[0].dtype, [&](auto tag) {
    return make_indexed<ScatterAdd, typename decltype(tag)::type>(spec);
  });
}

template <class Fn>
std::unique_ptr<Kernel> make_scatter_by(const KernelSpec& spec) {
  return dispatch_full_width(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      throw std::invalid_argument("scatter computes in no such dtype");
    } else {
      return make_indexed<ScatterBy<Fn>::template Of, T>(spec, 3);
    }
  });
}

std::unique_ptr<Kernel> make_scatter(const KernelSpec& spec) {
  require_arity(spec, 3);
  require_shape("src", spec.inputs[2].shape, spec.inputs[1].shape);
  require_shape("the output", spec.outputs[0].shape, spec.inputs[0].shape);
  require(spec.inputs[2].dtype == spec.outputs[0].dtype, "operands must have one dtype");
  const std::string& fn = spec.attrs.text("fn");
  if (fn == "set") {
    return dispatch_size(spec.outputs[0].dtype, [&](auto tag) {
      return make_indexed<ScatterBy<Set>::Of, typename decltype(tag)::type>(spec, 3);
    });
  }
  if (fn == "add") return make_scatter_by<Add>(spec);
  if (fn == "mul") return make_scatter_by<Multiply>(spec);
  if (fn == "amax") return make_scatter_by<Maximum>(spec);
  if (fn == "amin") return make_scatter_by<Minimum>(spec);
  throw std::invalid_argument("unknown function " + fn);
}

bool supports_scatter(const KernelSpec& spec) {
  return !is_half_width(spec.outputs[0].dtype) || spec.attrs.text("fn") == "set";
}

bool supports_scatter_add(const KernelSpec& spec) { return !is_half_width(spec.outputs[0].dtype); }

}  // namespace

void register_gather(Registry& registry) {
  registry.add({"gather", "portable", 0, any_spec, make_gather});
  registry.add({"scatter", "portable", 0, supports_scatter, make_scatter});
  registry.add({"scatter_add", "portable", 0, supports_scatter_add, make_scatter_add});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
