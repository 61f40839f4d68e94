// cat: out[.., joined dim, ..] = the inputs one after another along `dim`.
// inputs (A, n_k, B) -> out (A, sum n_k, B). Any dtype, moved as bytes; overwrites (`=`).
#include <cstring>

#include "../runtime/parallel.h"
#include "check.h"
#include "dispatch.h"
#include "register.h"

namespace torchts {
inline namespace TORCHTS_ISA {
namespace {

constexpr int64_t kGrain = 1 << 18;  // bytes a thread

class Cat final : public Kernel {
 public:
  explicit Cat(const KernelSpec& spec) {
    const TensorType& out = spec.outputs[0];
    const int64_t dim = spec.attrs.integer("dim");
    require(dim >= 0 && dim < static_cast<int64_t>(out.shape.size()), "dim is out of range");
    require(!spec.inputs.empty(), "there is nothing to join");
    require_arity(spec, spec.inputs.size());
    require_one_dtype(spec);
    int64_t joined = 0;
    for (int64_t d = 0; d < dim; d++) rows_ *= out.shape[d];
    for (const TensorType& input : spec.inputs) {
      Shape expected = out.shape;
      expected[dim] = input.shape.size() == out.shape.size() ? input.shape[dim] : 0;
      require_shape("an input", input.shape, expected);
      joined += expected[dim];
      const int64_t bytes = static_cast<int64_t>(input.bytes());
      const int64_t piece = rows_ == 0 ? 0 : bytes / rows_;
      pieces_.push_back(piece);
      row_bytes_ += piece;
    }
    require(joined == out.shape[dim], "the output has another size along dim");
    threads_ = useful_threads(spec.threads, row_bytes_ * rows_, kGrain);
  }

  void run(const Operands& operands) override {
    char* out = operands.out<char>(0);
    parallel_ranges(threads_, rows_, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        char* to = out + row * row_bytes_;
        for (size_t k = 0; k < pieces_.size(); k++) {
          std::memcpy(to, operands.in<char>(static_cast<int>(k)) + row * pieces_[k], pieces_[k]);
          to += pieces_[k];
        }
      }
    });
  }

 private:
  int64_t rows_ = 1;             // A
  int64_t row_bytes_ = 0;        // of the output
  std::vector<int64_t> pieces_;  // bytes of each input in one row
  int threads_;
};

std::unique_ptr<Kernel> make(const KernelSpec& spec) { return std::make_unique<Cat>(spec); }

}  // namespace

void register_cat(Registry& registry) { registry.add({"cat", "portable", 0, any_spec, make}); }

}  // namespace TORCHTS_ISA
}  // namespace torchts
