// sort: values[r] = the first `count` elements of row x[r] in order, indices[r] their places.
// search_sorted: out[r][m] = how many elements of the ascending row r are < (or <=) values[r][m].
// x (.., N) of any full-width dtype, indices and places int64; NaN is the largest element, equal
// ones keep their order. Overwrites (`=`); rows are independent: any thread count gives the same.
#include <algorithm>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements a thread

// a before b in ascending order; NaN last.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

Shape leading(const Shape& shape) {
  require(!shape.empty(), "a number has no rows");
  return Shape(shape.begin(), shape.end() - 1);
}

template <class T>
class Sort final : public Kernel {
 public:
  explicit Sort(const KernelSpec& spec)
      : rows_(numel(leading(spec.inputs[0].shape))),
        size_(spec.inputs[0].shape.back()),
        count_(spec.attrs.integer("count")),
        descending_(spec.attrs.flag("descending")) {
    require_arity(spec, 1, 2);
    require(count_ >= 0 && count_ <= size_, "a row has no so many elements");
    Shape shape = leading(spec.inputs[0].shape);
    shape.push_back(count_);
    for (const TensorType& output : spec.outputs) require_shape("an output", output.shape, shape);
    require(spec.outputs[0].dtype == spec.inputs[0].dtype, "the values have another dtype");
    require(spec.outputs[1].dtype == DType::int64, "the indices must be int64");
    threads_ = useful_threads(spec.threads, rows_ * size_, kGrain);
  }

  size_t scratch_bytes() const override { return threads_ * size_ * sizeof(Item); }

  void run(const Operands& operands) override {
    const T* x = operands.in<T>(0);
    T* values = operands.out<T>(0);
    int64_t* indices = operands.out<int64_t>(1);
    parallel_ranges(threads_, rows_, [&](int64_t begin, int64_t end, int part) {
      Item* row = static_cast<Item*>(operands.scratch) + part * size_;
      for (int64_t r = begin; r < end; r++) {
        for (int64_t i = 0; i < size_; i++) row[i] = {x[r * size_ + i], i};
        if (descending_) {
          order(row, [](const Item& a, const Item& b) { return before(b.value, a.value, a, b); });
        } else {
          order(row, [](const Item& a, const Item& b) { return before(a.value, b.value, a, b); });
        }
        for (int64_t i = 0; i < count_; i++) {
          values[r * count_ + i] = row[i].value;
          indices[r * count_ + i] = row[i].place;
        }
      }
    });
  }

 private:
  struct Item {
    T value;
    int64_t place;
  };

  // No two items are equal, so that any way to sort them gives the stable order.
  static bool before(T first, T second, const Item& a, const Item& b) {
    if (less(first, second)) return true;
    return !less(second, first) && a.place < b.place;
  }

  template <class Before>
  void order(Item* row, const Before& before) const {
    if (count_ < size_) {
      std::partial_sort(row, row + count_, row + size_, before);
    } else {
      std::sort(row, row + size_, before);
    }
  }

  int64_t rows_, size_, count_;
  bool descending_;
  int threads_;
};

template <class T>
class SearchSorted final : public Kernel {
 public:
  explicit SearchSorted(const KernelSpec& spec) : right_(spec.attrs.flag("right")) {
    require_arity(spec, 2);
    const Shape &sorted = spec.inputs[0].shape, &values = spec.inputs[1].shape;
    require_shape("the rows", leading(sorted), leading(values));
    require_shape("the output", spec.outputs[0].shape, values);
    require(spec.inputs[1].dtype == spec.inputs[0].dtype, "the values have another dtype");
    require(spec.outputs[0].dtype == DType::int64, "the output must be int64");
    size_ = sorted.back();
    count_ = values.back();
    total_ = numel(values);
    threads_ = useful_threads(spec.threads, total_ * 16, kGrain);
  }

  void run(const Operands& operands) override {
    const T* sorted = operands.in<T>(0);
    const T* values = operands.in<T>(1);
    int64_t* out = operands.out<int64_t>(0);
    parallel_ranges(threads_, total_, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; i++) {
        const T* row = sorted + i / count_ * size_;
        const T* found = right_ ? std::upper_bound(row, row + size_, values[i], less<T>)
                                : std::lower_bound(row, row + size_, values[i], less<T>);
        out[i] = found - row;
      }
    });
  }

 private:
  int64_t size_, count_, total_;
  bool right_;
  int threads_;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require(!spec.inputs.empty(), "there is no input");
  return dispatch_full_width(spec.inputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<K<typename decltype(tag)::type>>(spec);
  });
}

bool supports(const KernelSpec& spec) { return !is_half_width(spec.inputs[0].dtype); }

}  // namespace

void register_sort(Registry& registry) {
  registry.add({"sort", "portable", 0, supports, make<Sort>});
  registry.add({"search_sorted", "portable", 0, supports, make<SearchSorted>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
