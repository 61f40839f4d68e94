#include "image_batch.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "check.h"

using namespace torchts;
using namespace torchts::testing;

namespace {

// Three images of two channels, 2 x 3 pixels; channel c maps byte b to b + 1000 c.
struct Fixture {
  std::vector<uint8_t> images;
  std::vector<int64_t> labels{7, 8, 9};
  ImageSource source;
  std::vector<ImageWork> work;  // of each row, where the source has ops
  ThreadPool pool;

  Fixture() {
    for (int i = 0; i < 36; i++) images.push_back(static_cast<uint8_t>(i * 7 + 1));
    source.images = images.data();
    source.image_bytes = images.size();
    source.labels = labels.data();
    source.label_count = labels.size();
    for (int i = 0; i < 512; i++)
      source.table.push_back(static_cast<float>(i % 256 + i / 256 * 1000));
    source.channels = 2;
    source.height = 2;
    source.width = 3;
  }

  std::vector<float> fill(const std::vector<int32_t>& indices, uint32_t epoch = 0) {
    const ImageSources sources({source});
    sources.check_indices(indices.data(), indices.size());
    std::vector<float> inputs(indices.size() * sources.sample_size(), -1);
    std::vector<int64_t> targets(indices.size());
    const BatchOrder order{indices.data(), indices.size(), epoch, &work};
    fill_batch(sources, order, pool, inputs.data(), targets.data());
    for (size_t r = 0; r < indices.size(); r++) CHECK(targets[r] == 7 + indices[r]);
    return inputs;
  }

  float pixel(int image, int channel, int y, int x) const {
    return static_cast<float>(images[image * 12 + channel * 6 + y * 3 + x] + 1000 * channel);
  }
};

PixelMove flip(double probability) {
  PixelMove move{};
  move.kind = PixelMove::Kind::flip;
  move.probability = probability;
  return move;
}

PixelMove crop(int64_t height, int64_t width, int64_t padding) {
  PixelMove move{};
  move.kind = PixelMove::Kind::crop;
  move.height = height;
  move.width = width;
  move.left = move.top = move.right = move.bottom = padding;
  return move;
}

ImageWork crop_at(int64_t top, int64_t left, const ImageShape& to) {
  ImageOp op;
  op.code = ImageOpCode::crop;
  op.to = to;
  op.top = top;
  op.left = left;
  return {{op}, {}};
}

void check_refused(Fixture& fixture, const std::string& expected) {
  const std::string message = message_of([&] { const ImageSources sources({fixture.source}); });
  CHECK(message.find(expected) != std::string::npos, "got: " + message);
}

}  // namespace

TEST("looks chosen images up, channel by channel") {
  Fixture fixture;
  const std::vector<float> out = fixture.fill({2, 0});
  for (int i = 0; i < 12; i++) {
    CHECK(out[i] == fixture.pixel(2, i / 6, i % 6 / 3, i % 3));
    CHECK(out[12 + i] == fixture.pixel(0, i / 6, i % 6 / 3, i % 3));
  }
}

TEST("flips left to right") {
  Fixture fixture;
  fixture.source.moves = {flip(1)};
  const std::vector<float> out = fixture.fill({1});
  for (int i = 0; i < 12; i++) CHECK(out[i] == fixture.pixel(1, i / 6, i % 6 / 3, 2 - i % 3));
  fixture.source.moves = {flip(0)};
  CHECK(fixture.fill({1})[0] == fixture.pixel(1, 0, 0, 0));
}

TEST("a crop is a window of the padded image, black outside") {
  Fixture fixture;
  fixture.source.moves = {crop(2, 3, 1)};
  std::set<std::vector<float>> seen;
  for (uint32_t epoch = 0; epoch < 200; epoch++) {
    const std::vector<float> out = fixture.fill({0}, epoch);
    bool found = false;
    for (int top = -1; top <= 1; top++) {
      for (int left = -1; left <= 1; left++) {
        std::vector<float> window;
        for (int i = 0; i < 12; i++) {
          const int y = i % 6 / 3 + top, x = i % 3 + left;
          const bool inside = y >= 0 && y < 2 && x >= 0 && x < 3;
          window.push_back(inside ? fixture.pixel(0, i / 6, y, x) : 1000.0f * (i / 6));
        }
        found = found || window == out;
      }
    }
    CHECK(found);
    seen.insert(out);
  }
  CHECK(seen.size() == 9, "all nine places are drawn");
}

TEST("the draw depends on the sample and the epoch, not on the batch") {
  Fixture fixture;
  fixture.source.moves = {crop(1, 1, 0), flip(0.5)};
  const std::vector<float> together = fixture.fill({0, 1, 2}, 5);
  for (int i = 0; i < 3; i++) {
    const std::vector<float> alone = fixture.fill({i}, 5);
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + 2 * i));
  }
}

TEST("any number of workers makes the same batch") {
  Fixture fixture;
  fixture.source.has_ops = true;
  fixture.source.to = {2, 1, 2};
  std::vector<int32_t> indices;
  for (int32_t i = 0; i < 50; i++) {
    indices.push_back(i % 3);
    fixture.work.push_back(crop_at(i % 2, i % 4 - 1, fixture.source.to));
  }
  const std::vector<float> one = fixture.fill(indices);
  for (int i = 0; i < 50; i++) {
    for (int x = 0; x < 2; x++) {
      const int from = i % 4 - 1 + x;
      CHECK(one[4 * i + x] == (from < 0 || from > 2 ? 0 : fixture.pixel(i % 3, 0, i % 2, from)));
    }
  }
  for (int workers : {2, 4, 64}) {
    fixture.source.workers = workers;
    CHECK(fixture.fill(indices) == one);
  }
}

TEST("images of sizes of their own lie one after the other") {
  Fixture fixture;
  fixture.source.has_ops = true;
  fixture.source.to = {2, 1, 1};
  fixture.source.sizes = {1, 1, 4, 2, 3, 3};
  fixture.work.assign(3, crop_at(0, 0, fixture.source.to));
  const std::vector<float> out = fixture.fill({2, 0, 1});
  const std::vector<size_t> begins{18, 27, 0, 1, 2, 10};
  for (size_t i = 0; i < 6; i++) {
    CHECK(out[i] == static_cast<float>(fixture.images[begins[i]] + 1000 * (i % 2)));
  }
  fixture.source.sizes = {1, 1, 4, 2, 3, 4};
  check_refused(fixture, "36 bytes are not those of the images of these sizes");
  fixture.source.sizes = {1 << 20, 1 << 20, 1 << 20, 1 << 20, 3, 4};
  check_refused(fixture, "are not those of the images");
  fixture.source.sizes = {1, 1};
  check_refused(fixture, "2 numbers are not the sizes of 3 images");
  fixture.source.sizes = {1, 0, 4, 2, 3, 3};
  check_refused(fixture, "width must be 1 to 2^20, got 0");
}

TEST("images may lie apart, and one may come several times") {
  Fixture fixture;
  fixture.source.begins = {24, 0, 24};
  const std::vector<float> out = fixture.fill({0, 1, 2});
  for (int i = 0; i < 12; i++) {
    CHECK(out[i] == fixture.pixel(2, i / 6, i % 6 / 3, i % 3));
    CHECK(out[12 + i] == fixture.pixel(0, i / 6, i % 6 / 3, i % 3));
    CHECK(out[24 + i] == out[i]);
  }
  fixture.source.begins = {24, 0, 25};
  check_refused(fixture, "36 bytes are not those of the images");
  fixture.source.begins = {24, 0, SIZE_MAX};
  check_refused(fixture, "36 bytes are not those of the images");
  fixture.source.begins = {24, 0};
  check_refused(fixture, "2 numbers are not where 3 images begin");
  fixture.source.begins = {7, 3, 35};
  fixture.source.has_ops = true;
  fixture.source.to = {2, 1, 1};
  fixture.source.sizes = {1, 1, 4, 2, 1, 1};
  check_refused(fixture, "36 bytes are not those of the images");
  fixture.source.begins = {7, 3, 34};
  fixture.work.assign(3, crop_at(0, 0, fixture.source.to));
  CHECK(fixture.fill({2, 1})[0] == static_cast<float>(fixture.images[34]));
  CHECK(fixture.fill({2, 1})[3] == static_cast<float>(fixture.images[11] + 1000));
}

TEST("refuses what does not fit") {
  Fixture fixture;
  fixture.source.moves = {crop(3, 3, 0)};
  check_refused(fixture, "larger than the padded image");
  fixture.source.moves = {crop(0, 3, 0)};
  check_refused(fixture, "height must be 1 to 2^20, got 0");
  fixture.source.moves = {crop(1, 1, int64_t{1} << 40)};
  check_refused(fixture, "padding must be 0 to 2^20");
  fixture.source.moves = {flip(1.5)};
  check_refused(fixture, "not in [0, 1]");
  fixture.source.moves = {};
  fixture.source.label_count = 2;
  check_refused(fixture, "36 bytes are not 2 images of 12 bytes");
  fixture.source.label_count = 3;
  fixture.source.table.pop_back();
  check_refused(fixture, "511 values; 2 channels need 512");
  fixture.source.table.push_back(0);
  const std::vector<int32_t> indices{0, 3};
  const std::string message =
      message_of([&] { ImageSources({fixture.source}).check_indices(indices.data(), 2); });
  CHECK(message.find("index 3 at place 1 is out of range for 3 images") != std::string::npos);
}

TEST("several sources are numbered one after the other, each with what becomes of its own") {
  Fixture plain, flipped, cropped;
  flipped.labels = {17, 18, 19};
  flipped.source.moves = {flip(0.5), crop(1, 2, 1)};
  plain.source.moves = {crop(1, 2, 0)};
  cropped.source.has_ops = true;
  cropped.source.to = {2, 1, 2};
  const ImageSources sources({plain.source, flipped.source, cropped.source});
  const std::vector<int32_t> indices{8, 3, 2, 5, 0, 6};
  std::vector<ImageWork> work(indices.size());
  work[0] = work[5] = crop_at(1, 1, cropped.source.to);
  std::vector<float> inputs(indices.size() * sources.sample_size(), -1);
  std::vector<int64_t> targets(indices.size());
  sources.check_indices(indices.data(), indices.size());
  const BatchOrder order{indices.data(), indices.size(), 4, &work};
  fill_batch(sources, order, plain.pool, inputs.data(), targets.data());
  CHECK(targets == (std::vector<int64_t>{9, 17, 9, 19, 7, 7}));
  cropped.work = {work[0]};
  const auto is_row = [&](size_t row, const std::vector<float>& alone) {
    return std::equal(alone.begin(), alone.end(), inputs.begin() + 4 * row);
  };
  CHECK(is_row(0, cropped.fill({2}, 4)));
  CHECK(is_row(5, cropped.fill({0}, 4)));
  CHECK(is_row(2, plain.fill({2}, 4)));
  CHECK(is_row(4, plain.fill({0}, 4)));
  flipped.labels = {7, 8, 9};
  CHECK(is_row(1, flipped.fill({0}, 4)));
  CHECK(is_row(3, flipped.fill({2}, 4)));
}

TEST("what is random is drawn from the number of the first image on") {
  Fixture whole, rest;
  whole.source.moves = rest.source.moves = {crop(1, 1, 1), flip(0.5)};
  rest.source.first = 1;
  for (uint32_t epoch = 0; epoch < 20; epoch++) {
    rest.source.images = whole.images.data() + 12;
    rest.source.image_bytes = 24;
    rest.source.label_count = 2;
    rest.labels = {7, 8, 9};
    const std::vector<float> expected = whole.fill({1, 2}, epoch),
                             actual = rest.fill({0, 1}, epoch);
    CHECK(actual == expected);
  }
}

TEST("sources that give other shapes are refused, and indices past the last") {
  Fixture first, other;
  const auto refused = [&] {
    return message_of([&] { const ImageSources sources({first.source, other.source}); });
  };
  CHECK(refused() == "");
  const std::vector<int32_t> indices{0, 6};
  const ImageSources both({first.source, other.source});
  const std::string message = message_of([&] { both.check_indices(indices.data(), 2); });
  CHECK(message.find("index 6 at place 1 is out of range for 6 images") != std::string::npos);
  other.source.moves = {crop(2, 2, 0)};
  CHECK(refused() == "[images] sources give images of 2 x 2 x 3 and 2 x 2 x 2");
  other.source.moves = {crop(0, 2, 0)};
  CHECK(refused().find("height must be") != std::string::npos);
  CHECK(message_of([] { const ImageSources sources({}); }) == "[images] there is no source");
}
