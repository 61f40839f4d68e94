// reorder: out = in, each in a layout of its own. Any dtype, moved by element size; overwrites
// (`=`). Every element is written by one thread, so any thread count gives the same bits.
// Blocks inside blocks (ABcd8b16a2b) leave runs of two elements, which a walk pays for one by one:
// such tiles, which are all alike, are gathered through one table of places instead.
#include <limits>
#include <vector>

#include "dispatch.h"
#include "register.h"
#include "view_walk.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

// Elements of a tile: as many as stay in the first-level cache, and enough to pay for a call.
constexpr int64_t kMostInTile = 4096;
constexpr int64_t kLeastInTile = 64;

// The input as the output's memory runs through it.
View reordered(const KernelSpec& spec) {
  require_arity(spec, 1);
  require_one_dtype(spec);
  const TensorType& from = spec.inputs[0];
  const TensorType& to = spec.outputs[0];
  require_shape("the output", to.shape, from.shape);
  Shape sizes;
  std::vector<int64_t> strides;
  require(common_axes(to.shape, from.layout, to.layout, &sizes, &strides),
          "the blocks of the two layouts do not nest");
  return View(sizes, 0, strides, from.numel());
}

// The innermost dimensions that make a tile, in elements of the output side by side.
struct Tile {
  size_t first;  // dimension
  int64_t size = 1, reach = 0;

  explicit Tile(const std::vector<Dim>& dims) : first(dims.size()) {
    while (first > 0 && size * dims[first - 1].size <= kMostInTile) {
      first--;
      size *= dims[first].size;
      reach += (dims[first].size - 1) * dims[first].stride;
    }
  }

  bool pays(const std::vector<Dim>& dims) const {
    const bool short_runs = dims.back().stride != 1 || dims.back().size < 8;
    return dims.size() - first >= 2 && size >= kLeastInTile && short_runs &&
           reach <= std::numeric_limits<int32_t>::max();
  }
};

template <class T>
class TiledReorder final : public Kernel {
 public:
  TiledReorder(const View& view, const Tile& tile, int threads)
      : outer_(view.dims.begin(), view.dims.begin() + static_cast<int64_t>(tile.first)),
        tiles_(view.count / tile.size),
        threads_(useful_threads(threads, view.count, kViewGrain)) {
    if (outer_.empty()) outer_.push_back({1, 0});
    const std::vector<Dim> inner(view.dims.begin() + static_cast<int64_t>(tile.first),
                                 view.dims.end());
    for_each_run(inner, 0, tile.size, [&](int64_t offset, int64_t, int64_t length) {
      for (int64_t i = 0; i < length; i++) {
        places_.push_back(static_cast<int32_t>(offset + i * inner.back().stride));
      }
    });
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* out = operands.out<T>(0);
    const int64_t size = static_cast<int64_t>(places_.size()), step = outer_.back().stride;
    parallel_ranges(threads_, tiles_, [&](int64_t begin, int64_t end, int) {
      for_each_run(outer_, begin, end, [&](int64_t offset, int64_t at, int64_t length) {
        for (int64_t i = 0; i < length; i++) {
          gather(in + offset + i * step, out + (begin + at + i) * size, size);
        }
      });
    });
  }

 private:
  void gather(const T* from, T* to, int64_t size) const {
    const int32_t* places = places_.data();
    for (int64_t i = 0; i < size; i++) to[i] = from[places[i]];
  }

  std::vector<Dim> outer_;
  std::vector<int32_t> places_;  // of a tile's elements in the input
  int64_t tiles_;
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  const View view = reordered(spec);
  const Tile tile(view.dims);
  return dispatch_size(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    using T = typename decltype(tag)::type;
    if (view.count > 0 && tile.pays(view.dims)) {
      return std::make_unique<TiledReorder<T>>(view, tile, spec.threads);
    }
    return std::make_unique<CopyView<T>>(view, spec.threads);
  });
}

}  // namespace

void register_reorder(Registry& registry) {
  registry.add({"reorder", "portable", 0, any_spec, make});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
