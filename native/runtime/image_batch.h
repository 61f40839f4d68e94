// Batches of images: pixels moved (cropped, flipped), and bytes looked up in a table of what each
// one becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image_ops.h"
#include "thread_pool.h"

namespace torchts {

// Moves the pixels of an image before the table is applied. What is random is drawn from the Philox
// block (sample, place in the list, epoch, "augm") under the seed: a pure function of the sample
// and the epoch, so a run can go on from the middle of one.
struct PixelMove {
  enum class Kind { crop, flip };
  Kind kind;
  // crop: a window of this size, anywhere in the image with `padding` black pixels around it.
  int64_t height = 0, width = 0;
  int64_t left = 0, top = 0, right = 0, bottom = 0;
  // flip: left to right, with this probability.
  double probability = 0;
};

// Images (count, channels, height, width), or one after the other of sizes of their own, and their
// labels (count). What becomes of their pixels is drawn here, as moves, or given with every batch,
// as ops, whose results have the shape `to`.
struct ImageSource {
  const uint8_t* images = nullptr;
  size_t image_bytes = 0;
  const int64_t* labels = nullptr;
  size_t label_count = 0;
  std::vector<float> table;  // (channels, 256)
  int64_t channels = 0, height = 0, width = 0;
  std::vector<int32_t> sizes;   // (count, 2): heights and widths; none where all are alike
  std::vector<size_t> begins;   // where each image begins, where others lie between them
  std::vector<size_t> offsets;  // where that must be looked up; made by ImageSources
  std::vector<PixelMove> moves;
  uint64_t seed = 0;
  bool has_ops = false;
  ImageShape to;
  int workers = 1;  // threads that make a batch
  // The number that what is random about its first image is drawn from.
  uint32_t first = 0;

  size_t image_size() const { return static_cast<size_t>(channels * height * width); }
  ImageShape shape(size_t index) const;
  ImageView image(int32_t index) const;
  // The shape of what the model gets.
  ImageShape sample_shape() const;
};

// Images of several sources, numbered one source after the other.
class ImageSources {
 public:
  // Throws std::invalid_argument unless the parts of each fit each other, and what the model gets
  // is alike.
  explicit ImageSources(std::vector<ImageSource> sources);

  struct Place {
    const ImageSource& source;
    int32_t index;  // in it
  };
  Place at(int32_t index) const;
  // Throws std::invalid_argument unless every index is that of an image.
  void check_indices(const int32_t* indices, size_t rows) const;
  // Channels * height * width of what the model gets.
  size_t sample_size() const { return sources_[0].sample_shape().size(); }
  bool has_ops() const { return has_ops_; }
  int workers() const { return workers_; }

 private:
  std::vector<ImageSource> sources_;
  std::vector<size_t> ends_;  // of each source, in images
  bool has_ops_ = false;      // of any
  int workers_ = 1;
};

// One batch to be made of images that were checked.
struct BatchOrder {
  const int32_t* indices = nullptr;
  size_t rows = 0;
  uint32_t epoch = 0;
  const std::vector<ImageWork>* work = nullptr;  // of each row, where a source has ops
};

// inputs[r] = table[channel][what becomes of image indices[r]], targets[r] = labels[indices[r]].
// The indices were checked; inputs have rows * sample_size() elements. The rows are shared among as
// many threads of `pool` as the sources ask for; no value depends on that.
void fill_batch(const ImageSources& sources, const BatchOrder& order, ThreadPool& pool,
                float* inputs, int64_t* targets);

}  // namespace torchts
