// Loops over pixels, compiled for each instruction set; the best one that the machine has is taken,
// or the one that TORCHTS_ISA names. What a loop computes does not depend on it: contraction is off
// in these files, and fma is asked for by name. Attributes of functions rather than of files,
// because inline functions compiled for AVX-512 must never be the copy that another machine's
// linker picked. Not GCC's target_clones, whose `arch=` means one model of CPU.
#pragma once

namespace torchts {

enum class ImageIsa { baseline, avx2, avx512 };

ImageIsa image_isa();

}  // namespace torchts

#define TORCHTS_LOOP inline __attribute__((always_inline))

// `name` calls `loop`, a TORCHTS_LOOP, with the same arguments.
#if defined(__x86_64__)
#define TORCHTS_FOR_EACH_ISA(name, loop)                                       \
  template <class... Args>                                                     \
  __attribute__((target("avx2,fma"))) auto name##_avx2(Args&&... args) {       \
    return loop(args...);                                                      \
  }                                                                            \
  template <class... Args>                                                     \
  __attribute__((                                                              \
      target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,"                    \
             "prefer-vector-width=512"))) auto name##_avx512(Args&&... args) { \
    return loop(args...);                                                      \
  }                                                                            \
  template <class... Args>                                                     \
  auto name(Args&&... args) {                                                  \
    switch (image_isa()) {                                                     \
      case ImageIsa::avx512:                                                   \
        return name##_avx512(args...);                                         \
      case ImageIsa::avx2:                                                     \
        return name##_avx2(args...);                                           \
      default:                                                                 \
        return loop(args...);                                                  \
    }                                                                          \
  }
#else
#define TORCHTS_FOR_EACH_ISA(name, loop) \
  template <class... Args>               \
  auto name(Args&&... args) {            \
    return loop(args...);                \
  }
#endif
