// copy_view:  out[i0, i1, ...] = in.flat[offset + sum(ik * strides[k])]
// place_view: out = fill, then out.flat[offset + sum(ik * strides[k])] = in[i0, i1, ...]
// Any dtype, moved by element size; overwrites (`=`). Every element is written by one thread, so
// any thread count gives the same bits.
#include <algorithm>

#include "dispatch.h"
#include "register.h"
#include "view_walk.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

template <class T>
class PlaceView final : public Kernel {
 public:
  explicit PlaceView(const KernelSpec& spec)
      : view_(spec.inputs[0].shape, spec, spec.outputs[0].numel()),
        count_(spec.outputs[0].numel()),
        threads_(useful_threads(spec.threads, count_, kViewGrain)) {
    dispatch(spec.outputs[0].dtype, [&](auto tag) {
      const auto value = convert<typename decltype(tag)::type>(spec.attrs.number("fill"));
      if constexpr (sizeof value == sizeof(T)) fill_ = bit_cast<T>(value);
    });
  }

  void run(const Operands& operands) override {
    const T* in = operands.in<T>(0);
    T* out = operands.out<T>(0);
    if (view_.count < count_) {
      parallel_ranges(threads_, count_, [&](int64_t begin, int64_t end, int) {
        std::fill(out + begin, out + end, fill_);
      });
    }
    walk(
        view_, threads_,
        [=](int64_t dense, int64_t strided, int64_t length) {
          std::memcpy(out + strided, in + dense, length * sizeof(T));
        },
        [=](int64_t dense, int64_t strided) { out[strided] = in[dense]; });
  }

 private:
  View view_;
  int64_t count_;
  int threads_;
  T fill_;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const KernelSpec& spec) {
  require_arity(spec, 1);
  require_one_dtype(spec);
  return dispatch_size(spec.outputs[0].dtype, [&](auto tag) -> std::unique_ptr<Kernel> {
    return std::make_unique<K<typename decltype(tag)::type>>(spec);
  });
}

}  // namespace

void register_view(Registry& registry) {
  registry.add({"copy_view", "portable", 0, any_spec, make<CopyView>});
  registry.add({"place_view", "portable", 0, any_spec, make<PlaceView>});
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
