// Walking a tensor (N, C, ...) by groups of channels, vector by vector. Where channels lie side by
// side, as in nChw16c, a group is a vector of them and its lanes are channels; where each has a
// plane of its own a group is one channel and its lanes are positions.
#pragma once

#include <algorithm>
#include <type_traits>

#include "../runtime/kernel.h"
#include "vec.h"

namespace torchts {
inline namespace TORCHTS_ISA {

// One group: in each sample `vectors` vectors of `lanes` elements, `stride` apart, then one of
// `tail` elements if that is not 0.
struct ChannelGroup {
  int64_t channel, channels;  // the first, and how many
  int64_t offset, sample_stride;
  int64_t vectors, stride, lanes, tail;
};

// A part of a group small enough to stay in the first-level cache: the vectors [begin, end) of the
// samples [first, last), with the tails if `tail` is not 0.
struct ChannelChunk {
  int64_t first, last, begin, end, tail;

  int64_t vectors() const { return (last - first) * (end - begin); }
};

// How (N, C, ...) lies in memory. C is computed with, so that kLanes<C> make a vector.
template <class C>
class ChannelGroups {
 public:
  explicit ChannelGroups(const TensorType& type)
      : samples(type.shape[0]), channels_(type.shape[1]) {
    for (size_t d = 2; d < type.shape.size(); d++) positions_ *= type.shape[d];
    block_ = positions_ == 1 ? channels_ : channel_block(type.shape, type.layout);
    across = block_ > 0;
    per_block_ = (block_ + kLanes<C> - 1) / kLanes<C>;
    groups = across ? channels_ / block_ * per_block_ : channels_;
  }

  int64_t samples;
  int64_t groups;
  bool across;  // lanes are channels

  // Elements of one channel.
  int64_t count() const { return samples * positions_; }

  ChannelGroup group(int64_t g) const {
    const int64_t sample = channels_ * positions_;
    if (!across) {
      return {g,         1,         g * positions_,        sample, positions_ / kLanes<C>,
              kLanes<C>, kLanes<C>, positions_ % kLanes<C>};
    }
    const int64_t block = g / per_block_, within = g % per_block_ * kLanes<C>;
    const int64_t lanes = std::min<int64_t>(kLanes<C>, block_ - within);
    return {block * block_ + within,
            lanes,
            block * block_ * positions_ + within,
            sample,
            positions_,
            block_,
            lanes,
            0};
  }

 private:
  int64_t channels_, positions_ = 1;
  int64_t block_, per_block_;
};

constexpr int64_t kChunkVectors = 256;

// Calls body(chunk) for the samples [first, last) of a group.
template <class Body>
void for_each_chunk(const ChannelGroup& group, int64_t first, int64_t last, const Body& body) {
  const int64_t in_sample = std::max<int64_t>(group.vectors, 1);
  if (in_sample > kChunkVectors / 2) {
    for (int64_t n = first; n < last; n++) {
      for (int64_t v = 0; v < group.vectors; v += kChunkVectors) {
        const int64_t end = std::min(v + kChunkVectors, group.vectors);
        body(ChannelChunk{n, n + 1, v, end, end == group.vectors ? group.tail : 0});
      }
    }
    return;
  }
  const int64_t step = kChunkVectors / in_sample;
  for (int64_t n = first; n < last; n += step) {
    body(ChannelChunk{n, std::min(n + step, last), 0, group.vectors, group.tail});
  }
}

// Calls body(offset, lanes, k) for every vector of a chunk. `k` is 0 to 3, known when compiled: the
// accumulator to use, so that sums do not wait for each other. `lanes` is known for whole vectors.
template <class C, class Body>
inline void for_each_vector(const ChannelGroup& group, const ChannelChunk& chunk,
                            const Body& body) {
  constexpr std::integral_constant<int64_t, kLanes<C>> kWhole{};
  const int64_t stride = group.stride;
  for (int64_t n = chunk.first; n < chunk.last; n++) {
    int64_t at = group.offset + n * group.sample_stride + chunk.begin * stride;
    int64_t v = chunk.begin;
    if (group.lanes == kWhole) {
      for (; v + 4 <= chunk.end; v += 4, at += 4 * stride) {
        body(at, kWhole, std::integral_constant<int, 0>{});
        body(at + stride, kWhole, std::integral_constant<int, 1>{});
        body(at + 2 * stride, kWhole, std::integral_constant<int, 2>{});
        body(at + 3 * stride, kWhole, std::integral_constant<int, 3>{});
      }
      for (; v < chunk.end; v++, at += stride) body(at, kWhole, std::integral_constant<int, 0>{});
    } else {
      for (; v < chunk.end; v++, at += stride) {
        body(at, group.lanes, std::integral_constant<int, 0>{});
      }
    }
    if (chunk.tail > 0) body(at, chunk.tail, std::integral_constant<int, 0>{});
  }
}

// The operand of a group's channels: one a lane, or the same in all lanes.
template <class C, class S>
inline Vec<C> channel_vector(const S* values, const ChannelGroup& group, bool across) {
  Vec<C> result = {};
  for (int l = 0; l < kLanes<C>; l++) {
    if (!across || l < group.channels) result[l] = values[group.channel + (across ? l : 0)];
  }
  return result;
}

}  // namespace TORCHTS_ISA
}  // namespace torchts
