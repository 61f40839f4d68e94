#include "image_isa.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "machine.h"

namespace torchts {
namespace {

ImageIsa chosen() {
  const std::vector<std::string> supported = supported_isas();
  std::string isa = supported.front();
  if (const char* wanted = std::getenv("TORCHTS_ISA"); wanted != nullptr) {
    const auto found = std::find(supported.begin(), supported.end(), std::string(wanted));
    if (found != supported.end()) isa = *found;
  }
  return isa == "avx512" ? ImageIsa::avx512 : isa == "avx2" ? ImageIsa::avx2 : ImageIsa::baseline;
}

}  // namespace

ImageIsa image_isa() {
  static const ImageIsa isa = chosen();
  return isa;
}

}  // namespace torchts
