// What one JavaScript environment (the main thread, or a worker) owns: an engine thread, the
// buffers it may name by number, and the way finished jobs come back as settled promises.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "engine_thread.h"
#include "loaded_program.h"
#include "memory.h"
#include "providers.h"

namespace torchts {

// The memory behind a storage. All but the bytes belongs to the JavaScript thread.
struct Buffer {
  Buffer(DType type, int64_t count)
      : dtype(type), numel(count), memory(static_cast<size_t>(count) * itemsize(type)) {}

  DType dtype;
  int64_t numel;
  Memory memory;
  Ticket last_use = 0;    // the latest job that reads or writes it
  Ticket last_write = 0;  // the latest job that writes it
  uint64_t run = 0;       // the latest run that writes it, to find a buffer bound twice
};

// A job whose end settles a promise on the JavaScript thread.
class PromiseJob : public Job {
 public:
  napi_deferred deferred = nullptr;
  // The value the promise resolves with.
  virtual napi_value result(Napi::Env env) { return env.Undefined(); }
};

class RunJob : public PromiseJob {
 public:
  void execute() override { program->run(buffers.data(), scalars.data()); }

  LoadedProgram* program = nullptr;
  std::vector<void*> buffers;
  std::vector<double> scalars;
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
  // Frees what queued jobs may still use once they are done.
  void free_after(Ticket ticket, std::unique_ptr<Buffer> buffer);
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
