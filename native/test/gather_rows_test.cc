#include "gather_rows.h"

#include <vector>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

// Three rows of two channels by three pixels; channel c maps byte b to b + 1000 c.
struct Fixture {
  std::vector<uint8_t> source;
  std::vector<int32_t> indices{2, 0};
  std::vector<float> table;
  std::vector<float> destination;

  Fixture() : destination(12, -1) {
    for (int i = 0; i < 18; i++) source.push_back(static_cast<uint8_t>(i * 15));
    for (int i = 0; i < 512; i++) table.push_back(static_cast<float>(i % 256 + i / 256 * 1000));
  }

  GatherRows request() {
    return {source.data(),
            source.size(),
            indices.data(),
            indices.size(),
            table.data(),
            table.size(),
            2,
            3,
            destination.data(),
            destination.size()};
  }
};

void check_refused(const GatherRows& request, const std::string& expected) {
  std::string message = message_of([&] { gather_rows(request); });
  CHECK(message.find(expected) != std::string::npos, "got: " + message);
}

}  // namespace

TEST("rows are looked up channel by channel") {
  Fixture fixture;
  gather_rows(fixture.request());
  for (int r = 0; r < 2; r++) {
    for (int i = 0; i < 6; i++) {
      float expected = static_cast<float>((fixture.indices[r] * 6 + i) * 15 + (i < 3 ? 0 : 1000));
      CHECK(fixture.destination[r * 6 + i] == expected);
    }
  }
}

TEST("no rows") {
  Fixture fixture;
  fixture.indices.clear();
  fixture.destination.clear();
  CHECK(message_of([&] { gather_rows(fixture.request()); }).empty());
}

TEST("an index out of range writes nothing") {
  for (int32_t index : {-1, 3, INT32_MAX, INT32_MIN}) {
    Fixture fixture;
    fixture.indices[1] = index;
    check_refused(fixture.request(), "index " + std::to_string(index) + " at place 1");
    for (float value : fixture.destination) CHECK(value == -1);
  }
}

TEST("sizes that do not fit") {
  Fixture fixture;
  fixture.indices.push_back(0);
  check_refused(fixture.request(), "the destination has 12 values; 3 rows of 6");
  fixture = Fixture();
  fixture.table.pop_back();
  check_refused(fixture.request(), "the table has 511 values");
  fixture = Fixture();
  fixture.source.pop_back();
  check_refused(fixture.request(), "17 bytes");
  for (int64_t channels : {int64_t{0}, int64_t{-2}, INT64_MAX}) {
    GatherRows request = fixture.request();
    request.channels = channels;
    check_refused(request, "channels and pixels must be");
  }
}
