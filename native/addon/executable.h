// The JavaScript class of a loaded Program.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "instance.h"

namespace torchts {

// new Executable(program). A run takes no arguments: the caller first writes the ids of the
// storages into `bindings` (a Uint32Array) and the scalars into `scalars` (a Float64Array), which
// costs a fraction of passing arrays. run(): Promise, runSync(), arenaBytes, methods (one for each
// instruction), plan(), dispose(). Garbage collection disposes too.
class Executable : public Napi::ObjectWrap<Executable> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Executable(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value run_sync(const Napi::CallbackInfo& info);
  Napi::Value plan(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  void load(Napi::Env env, Program program);
  void share_arguments(Napi::Env env, Napi::Object self);
  std::unique_ptr<RunJob> prepare();
  Buffer* bound_buffer(size_t binding);
  void mark_used(Ticket ticket);
  void require_live() const;
  void release(Napi::BasicEnv env);

  std::shared_ptr<Instance> instance_;
  std::unique_ptr<LoadedProgram> program_;
  std::vector<bool> writes_;         // does binding k write its buffer?
  std::vector<Buffer*> buffers_;     // of the run being prepared
  Napi::ObjectReference arguments_;  // keeps the two arrays below
  const uint32_t* binding_ids_ = nullptr;
  const double* scalars_ = nullptr;
  Ticket last_run_ = 0;
};

}  // namespace torchts
