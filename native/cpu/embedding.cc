// gather_rows:  out[i] = table[index[i]]
// scatter_rows: out = 0, then out[index[i]] += g[i] in ascending i, but for index[i] == padding
// table, scatter's out (N, D), index of any shape, gather's out and g (index.., D). gather_rows
// moves any dtype; scatter_rows sums float32 or float64 in the type itself. Threads share rows
// (gather) or columns (scatter), so the bits are the same for any thread count. An index outside
// [0, N) throws std::runtime_error.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 13;               // elements a thread
constexpr int64_t kColumns = 64 / sizeof(float);  // threads write to cache lines of their own

// (rows, size) addressed by `count` indices.
struct Table {
  int64_t rows, size, count;

  // `table` is the tensor with rows, `chosen` the one with an index's leading dimensions.
  Table(const Shape& table, const Shape& index, const Shape& chosen) {
    require(!table.empty(), "the table has no rows");
    rows = table[0];
    count = numel(index);
    Shape expected = index;
    expected.insert(expected.end(), table.begin() + 1, table.end());
    require_shape("the rows", chosen, expected);
    size = numel(Shape(table.begin() + 1, table.end()));
  }

  bool has(int64_t row) const { return row >= 0 && row < rows; }
  [[noreturn]] void refuse(int64_t row) const {
    throw std::runtime_error("index " + std::to_string(row) + " is out of range for " +
                             std::to_string(rows) + " rows");
  }
};

template <class I>
class GatherRows final : public Kernel {
 public:
  explicit GatherRows(const KernelSpec& spec)
      : table_(spec.inputs[0].shape, spec.inputs[1].shape, spec.outputs[0].shape),
        bytes_(static_cast<size_t>(table_.size) * itemsize(spec.inputs[0].dtype)) {
    require_arity(spec, 2);
    require(spec.outputs[0].dtype == spec.inputs[0].dtype, "the output has another dtype");
    threads_ = useful_threads(spec.threads, table_.count * table_.size, kGrain);
  }

  void run(const Operands& operands) override {
    const I* index = operands.in<I>(1);
    const char* from = operands.in<char>(0);
    char* to = operands.out<char>(0);
    std::atomic<int64_t> bad{-1};
    parallel_ranges(threads_, table_.count, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        if (!table_.has(index[i])) return bad.store(i);
        std::memcpy(to + i * bytes_, from + index[i] * bytes_, bytes_);
      }
    });
    if (bad >= 0) table_.refuse(index[bad]);
  }

 private:
  const Table table_;
  const size_t bytes_;
  int threads_;
};

template <class T, class I>
class ScatterRows final : public Kernel {
 public:
  explicit ScatterRows(const KernelSpec& spec)
      : table_(spec.outputs[0].shape, spec.inputs[1].shape, spec.inputs[0].shape),
        padding_(spec.attrs.integer("padding")) {
    require_arity(spec, 2);
    require(spec.outputs[0].dtype == spec.inputs[0].dtype, "the output has another dtype");
    strips_ = std::max<int64_t>(1, table_.size / kColumns);
    threads_ = useful_threads(spec.threads, table_.count * table_.size, kGrain);
  }

  void run(const Operands& operands) override {
    const T* g = operands.in<T>(0);
    const I* index = operands.in<I>(1);
    T* out = operands.out<T>(0);
    for (int64_t i = 0; i < table_.count; i++) {
      if (!table_.has(index[i])) table_.refuse(index[i]);
    }
    parallel_ranges(threads_, strips_, [&](int64_t begin, int64_t end, int) {
      const int64_t first = table_.size * begin / strips_, last = table_.size * end / strips_;
      for (int64_t row = 0; row < table_.rows; row++) {
        std::fill(out + row * table_.size + first, out + row * table_.size + last, T(0));
      }
      for (int64_t i = 0; i < table_.count; i++) {
        if (index[i] == padding_) continue;
        T* to = out + index[i] * table_.size;
        const T* from = g + i * table_.size;
        for (int64_t c = first; c < last; c++) to[c] += from[c];
      }
    });
  }

 private:
  const Table table_;
  const int64_t padding_;
  int64_t strips_;
  int threads_;
};

template <class Body>
std::unique_ptr<Kernel> dispatch_index(const KernelSpec& spec, const Body& body) {
  const DType dtype = spec.inputs[1].dtype;
  require(dtype == DType::int64 || dtype == DType::int32, "the index must be int32 or int64");
  return dtype == DType::int64 ? body(Tag<int64_t>{}) : body(Tag<int32_t>{});
}

std::unique_ptr<Kernel> make_gather(const KernelSpec& spec) {
  return dispatch_index(spec, [&](auto index) -> std::unique_ptr<Kernel> {
    return std::make_unique<GatherRows<typename decltype(index)::type>>(spec);
  });
}

std::unique_ptr<Kernel> make_scatter(const KernelSpec& spec) {
  return dispatch_index(spec, [&](auto index) -> std::unique_ptr<Kernel> {
    using I = typename decltype(index)::type;
    return dispatch_floating(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
      return std::make_unique<ScatterRows<typename decltype(tag)::type, I>>(spec);
    });
  });
}

bool supports_scatter(const KernelSpec& spec) { return is_native_floating(spec.inputs[0].dtype); }

}  // namespace

void register_embedding(Registry& registry) {
  registry.add({"gather_rows", "portable", 0, any_spec, make_gather});
  registry.add({"scatter_rows", "portable", 0, supports_scatter, make_scatter});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
