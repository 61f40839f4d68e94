// The JavaScript classes that make batches of images: at once, or ahead on a thread of their own.
#pragma once

#include <napi.h>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "batch_stream.h"
#include "image_batch.h"
#include "instance.h"

namespace torchts {

// The images, what becomes of them, and the buffers behind them.
struct SharedImages {
  SharedImages(std::vector<ImageSource> all, std::vector<std::shared_ptr<Buffer>> behind)
      : sources(std::move(all)), buffers(std::move(behind)) {}

  const ImageSources sources;
  const std::vector<std::shared_ptr<Buffer>> buffers;
  mutable ThreadPool pool;
};

// What is done to the images of the batches that will be made next.
class WorkQueue {
 public:
  void push(std::vector<ImageWork> work);
  std::vector<ImageWork> pop();

 private:
  std::mutex mutex_;
  std::deque<std::vector<ImageWork>> queue_;
};

// Where a batch goes.
struct BatchSlot {
  std::shared_ptr<Buffer> inputs, targets;
};

// new ImageSources([{ images, labels, table, channels, height, width, sizes, moves, seed, first,
// to, workers }, ...]), as in src/engine/images.ts. gather(indices, epoch, inputs, targets, ops)
// fills one batch now. `ops` is a Float64Array that encode-ops.ts makes, where a source has `to`.
class ImageSourcesClass : public Napi::ObjectWrap<ImageSourcesClass> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ImageSourcesClass(const Napi::CallbackInfo& info);

  // What a JavaScript value that must be an ImageSources holds.
  static std::shared_ptr<const SharedImages> of(const Napi::Value& value);

 private:
  Napi::Value gather(const Napi::CallbackInfo& info);

  std::shared_ptr<Instance> instance_;
  std::shared_ptr<const SharedImages> shared_;
};

// applyOps(data, from, ops, to): the Uint8Array that ops make of one of shape `from`.
Napi::Value apply_ops(const Napi::CallbackInfo& info);

// new ImageStream(sources, order, batch size, epoch, slots, tail, ahead, ops): batches of `order`
// (an Int32Array), as BatchStreamRequest of src/engine/images.ts says. `slots` lists the storages
// of inputs and targets in turn, `tail` the two of a last, smaller batch if there is one. `ops` are
// those of the first `ahead` batches; take(ops) brings those of the batch `ahead` after the one it
// takes, where there is one. dispose(). Garbage collection disposes too.
class ImageStream : public Napi::ObjectWrap<ImageStream> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ImageStream(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

 private:
  void start(const Napi::CallbackInfo& info);
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  void close();
  // Queues what is done to the next batch, if there is one.
  void push_work(const Napi::Value& ops);

  std::shared_ptr<Instance> instance_;
  std::shared_ptr<const SharedImages> shared_;
  std::shared_ptr<BatchStream> stream_;
  std::shared_ptr<WorkQueue> work_ = std::make_shared<WorkQueue>();
  std::vector<int32_t> order_;
  size_t batch_ = 0;              // samples a batch
  size_t pushed_ = 0;             // samples whose work was queued
  std::vector<BatchSlot> slots_;  // of each batch in turn; the tail's comes last
  uint64_t ring_ = 0;             // slots that are used in turn
  uint64_t whole_ = 0;            // batches that are not the tail
};

}  // namespace torchts
