// What one JavaScript environment (the main thread, or a worker) owns: an engine thread, the
// buffers it may name by number, and the way finished jobs come back as settled promises.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "batch_stream.h"
#include "engine_thread.h"
#include "loaded_program.h"
#include "memory.h"
#include "providers.h"

namespace torchts {

// How a buffer's elements lie.
struct Arrangement {
  Shape shape;  // the one `layout` speaks of
  Layout layout;

  // Is it that of `type`? Without allocating, as are all checks of a run.
  bool is(const TensorType& type) const {
    return layout == type.layout && (layout.is_row_major() || shape == type.shape);
  }
};

// A batch that a stream has promised, or nothing.
struct Gate {
  std::shared_ptr<BatchStream> stream;
  uint64_t batch = 0;

  void wait() const {
    if (stream != nullptr) stream->wait(batch);
  }
};

// The memory behind a storage. All but the bytes belongs to the JavaScript thread, which knows what
// every queued job leaves behind: a run whose Program expects another layout than `now` converts
// the buffer before it starts.
struct Buffer {
  Buffer(DType type, int64_t count)
      : dtype(type), numel(count), memory(static_cast<size_t>(count) * itemsize(type)) {}
  // The bytes of a file.
  explicit Buffer(const FilePart& part)
      : dtype(DType::uint8), numel(static_cast<int64_t>(part.bytes)), memory(part) {}

  // The contents as a typed array holds them; waits for nothing.
  void copy_to(void* host, const Arrangement& from) const;
  // Once no queued job uses it.
  void make_row_major();

  DType dtype;
  int64_t numel;
  Memory memory;
  Arrangement now;                   // after every queued job
  const TensorType* next = nullptr;  // after the run being prepared
  Ticket last_use = 0;               // the latest job that reads or writes it
  Ticket last_write = 0;             // the latest job that writes or converts it
  uint64_t written = 0;              // the latest run that writes it, to find a buffer bound twice
  uint64_t bound = 0;                // the latest run that binds it
  Gate gate;                         // what must be there before the contents are
};

// A job whose end settles a promise on the JavaScript thread.
class PromiseJob : public Job {
 public:
  napi_deferred deferred = nullptr;
  // The value the promise resolves with.
  virtual napi_value result(Napi::Env env) { return env.Undefined(); }
};

// Contents to be brought into another arrangement before a run, in place or into a copy.
struct Conversion {
  const void* source;
  void* target;
  size_t bytes;
  size_t itemsize;
  Arrangement from, to;
};

class RunJob : public PromiseJob {
 public:
  void execute() override;
  // Of a timed run: its clock, a Float64Array.
  napi_value result(Napi::Env env) override;
  // Ready to be filled in again; gives large memory back.
  void clear();
  // Makes the memory that `conversions` need; to be called when all are listed.
  void reserve();

  LoadedProgram* program = nullptr;
  std::vector<void*> buffers;
  std::vector<double> scalars;
  std::vector<Gate> gates;
  std::vector<Conversion> conversions;
  std::vector<std::unique_ptr<Memory>> copies;
  std::vector<int64_t> clock;  // of LoadedProgram::run; empty for a run that is not timed

 private:
  std::unique_ptr<Memory> staging_;  // a value in row-major form, between two layouts
};

// Several runs in one job. One that fails ends it.
class RunsJob : public PromiseJob {
 public:
  void execute() override {
    for (const auto& run : runs) run->execute();
  }

  std::vector<std::unique_ptr<RunJob>> runs;
};

class Instance {
 public:
  static void create(Napi::Env env);
  static std::shared_ptr<Instance> of(Napi::Env env);

  explicit Instance(Napi::Env env);

  // The buffer storage `id` names, or null.
  Buffer* buffer(uint32_t id) const { return id < buffers_.size() ? buffers_[id] : nullptr; }
  uint32_t add(Buffer* buffer);
  void remove(uint32_t id);
  // Waits for the queued jobs that use `buffer` and for the stream that fills it; what the caller
  // then writes there is row-major.
  void claim(Buffer& buffer);
  // Frees what queued jobs may still use once they are done.
  void free_after(Ticket ticket, std::shared_ptr<Buffer> buffer);
  void free_after(Ticket ticket, std::unique_ptr<LoadedProgram> program);

  // A run job to fill in; given back with `recycle`, so that steady runs allocate nothing.
  std::unique_ptr<RunJob> new_run();
  void recycle(std::unique_ptr<RunJob> job);

  // Queues a job and gives the promise it will settle.
  Napi::Promise submit(Napi::Env env, std::unique_ptr<PromiseJob> job);

  // The error class made by every failure; set once by the TypeScript side.
  void set_error_class(const Napi::Function& error_class);
  Napi::Error error(Napi::Env env, const std::string& message) const;

  EngineThread thread;
  int threads;
  uint64_t runs = 0;

 private:
  void stop();
  void settle(Napi::Env env);

  std::vector<Buffer*> buffers_;
  std::vector<uint32_t> free_ids_;
  std::vector<std::unique_ptr<RunJob>> spare_runs_;
  napi_threadsafe_function settler_ = nullptr;
  int pending_ = 0;  // promises not settled yet; the process stays alive for them
  Napi::FunctionReference error_class_;
};

// The kernels of this process, loaded at the first call from the addon's own directory.
const Providers& providers();

// Runs `body`; whatever it throws reaches JavaScript as the engine's error class.
template <class Body>
auto guarded(Napi::Env env, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Instance::of(env)->error(env, error.what());
  }
}

}  // namespace torchts
