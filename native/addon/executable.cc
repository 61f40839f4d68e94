#include "executable.h"

#include <cstdlib>

#include "parse_program.h"

namespace torchts {
namespace {

std::vector<std::string> switches(const Napi::Value& off) {
  if (off.IsUndefined()) return {};
  return parse_strings(off, "the switches");
}

}  // namespace

Napi::Function Executable::define(Napi::Env env) {
  return DefineClass(
      env, "Executable",
      {InstanceMethod<&Executable::run>("run"), InstanceMethod<&Executable::run_many>("runMany"),
       InstanceMethod<&Executable::run_sync>("runSync"),
       InstanceMethod<&Executable::profile>("profile"), InstanceMethod<&Executable::plan>("plan"),
       InstanceMethod<&Executable::dispose>("dispose")});
}

Executable::Executable(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Executable>(info), instance_(Instance::of(info.Env())) {
  guarded(info.Env(), [&] {
    Program program = parse_program(info[0]);
    check_program(program);
    for (const Binding& binding : program.bindings) {
      accesses_.push_back(binding.access);
    }
    buffers_.resize(accesses_.size());
    load(info.Env(), std::move(program), switches(info[1]));
    share_arguments(info.Env(), info.This().As<Napi::Object>());
  });
}

void Executable::load(Napi::Env env, Program program, const std::vector<std::string>& off) {
  const char* poison = std::getenv("TORCHTS_POISON");
  LoadOptions options;
  options.threads = instance_->threads;
  options.poison = poison != nullptr && std::string(poison) == "1";
  options.off.insert(off.begin(), off.end());
  // On the engine's thread, where it will run: libraries keep state for each thread.
  instance_->thread.call([&] {
    program_ = std::make_unique<LoadedProgram>(std::move(program), providers().registry, options);
  });
  Napi::MemoryManagement::AdjustExternalMemory(env, static_cast<int64_t>(program_->arena_bytes()));
}

void Executable::share_arguments(Napi::Env env, Napi::Object self) {
  Napi::Uint32Array ids = Napi::Uint32Array::New(env, accesses_.size());
  Napi::Float64Array scalars = Napi::Float64Array::New(env, program_->program().scalars.size());
  binding_ids_ = ids.Data();
  scalars_ = scalars.Data();
  Napi::Object arguments = Napi::Object::New(env);
  arguments.Set("bindings", ids);
  arguments.Set("scalars", scalars);
  arguments_ = Napi::Persistent(arguments);
  auto define = [&](const char* name, Napi::Value value) {
    self.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_enumerable));
  };
  define("bindings", ids);
  define("scalars", scalars);
  define("kernels", kernels(env));
  define("arenaBytes", Napi::Number::New(env, static_cast<double>(program_->arena_bytes())));
}

// One object an instruction, reorders included.
Napi::Array Executable::kernels(Napi::Env env) const {
  Napi::Array list = Napi::Array::New(env);
  const std::vector<Instruction>& instructions = program_->program().instructions;
  for (size_t i = 0; i < instructions.size(); i++) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("label", instructions[i].label);
    row.Set("kernel", instructions[i].kernel);
    row.Set("method", program_->methods()[i]);
    row.Set("source", instructions[i].source);
    list.Set(static_cast<uint32_t>(i), row);
  }
  return list;
}

void Executable::Finalize(Napi::BasicEnv env) { release(env); }

Napi::Value Executable::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return submit(info.Env(), prepare(binding_ids_, scalars_)); });
}

Napi::Value Executable::profile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    std::unique_ptr<RunJob> job = prepare(binding_ids_, scalars_);
    job->clock.resize(program_->clock_size());
    return submit(info.Env(), std::move(job));
  });
}

Napi::Value Executable::submit(Napi::Env env, std::unique_ptr<RunJob> job) {
  Napi::Promise promise = instance_->submit(env, std::move(job));
  mark_used(instance_->thread.latest());
  return promise;
}

Napi::Value Executable::run_many(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    require_live();
    const size_t scalars = program_->program().scalars.size();
    const size_t runs = info[2].ToNumber().Uint32Value();
    const Napi::Uint32Array ids = info[0].As<Napi::Uint32Array>();
    const Napi::Float64Array values = info[1].As<Napi::Float64Array>();
    if (!info[0].IsTypedArray() || !info[1].IsTypedArray() || runs == 0 ||
        ids.ElementLength() != runs * buffers_.size() || values.ElementLength() != runs * scalars) {
      throw std::invalid_argument("[run] the arguments are not those of so many runs");
    }
    return instance_->submit(info.Env(), prepare_many(ids.Data(), values.Data(), runs));
  });
}

Napi::Value Executable::run_sync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::unique_ptr<RunJob> job = prepare(binding_ids_, scalars_);
    instance_->thread.submit(job.get(), Job::After::submitter);
    mark_used(job->ticket);
    instance_->thread.wait(job->ticket);
    std::string error = std::move(job->error);
    instance_->recycle(std::move(job));
    if (!error.empty()) throw std::runtime_error(error);
    return info.Env().Undefined();
  });
}

// Checks the arguments and copies them into a job.
std::unique_ptr<RunJob> Executable::prepare(const uint32_t* ids, const double* scalars) {
  require_live();
  const uint64_t run = ++instance_->runs;
  check_bindings(ids, run);
  std::unique_ptr<RunJob> job = instance_->new_run();
  job->program = program_.get();
  job->buffers.resize(buffers_.size());
  for (size_t k = 0; k < buffers_.size(); k++) job->buffers[k] = arranged(k, run, job.get());
  job->reserve();
  job->scalars.assign(scalars, scalars + program_->program().scalars.size());
  return job;
}

// The job that is submitted next. When a run's arguments are wrong, those before it still run.
std::unique_ptr<RunsJob> Executable::prepare_many(const uint32_t* ids, const double* scalars,
                                                  size_t runs) {
  auto job = std::make_unique<RunsJob>();
  const Ticket ticket = instance_->thread.latest() + 1;
  try {
    for (size_t r = 0; r < runs; r++) {
      job->runs.push_back(prepare(ids, scalars));
      mark_used(ticket);
      ids += buffers_.size();
      scalars += program_->program().scalars.size();
    }
  } catch (const std::exception&) {
    if (!job->runs.empty()) instance_->thread.submit(job.release(), Job::After::discard);
    throw;
  }
  return job;
}

// Finds the buffers; one that is written serves no other binding.
void Executable::check_bindings(const uint32_t* ids, uint64_t run) {
  for (size_t k = 0; k < buffers_.size(); k++) {
    buffers_[k] = bound_buffer(k, ids[k]);
    if (!writes(k)) continue;
    if (buffers_[k]->written == run) {
      throw std::invalid_argument("[run] binding " + std::to_string(k) +
                                  " writes a buffer that another binding writes too");
    }
    buffers_[k]->written = run;
  }
  for (size_t k = 0; k < buffers_.size(); k++) {
    if (!writes(k) && buffers_[k]->written == run) {
      throw std::invalid_argument("[run] binding " + std::to_string(k) +
                                  " reads a buffer that another binding writes");
    }
  }
}

// Where binding k's contents are during the run: in its buffer, converted first if it is in another
// layout than the Program expects, or in a copy if another binding reads the same buffer in
// another layout.
void* Executable::arranged(size_t k, uint64_t run, RunJob* job) {
  Buffer& buffer = *buffers_[k];
  const TensorType& type = program_->bound_type(k);
  const bool is_second = buffer.bound == run;
  const TensorType& first = is_second ? *buffer.next : type;
  buffer.bound = run;
  buffer.next = &first;
  if (buffer.gate.stream != nullptr) job->gates.push_back(buffer.gate);
  void* place = buffer.memory.data();
  if (accesses_[k] == Access::write) return place;
  if (is_second ? Arrangement{first.shape, first.layout}.is(type) : buffer.now.is(type))
    return place;
  Arrangement from = buffer.now;
  if (from.layout.is_row_major()) from.shape = type.shape;
  if (is_second) {
    from = {first.shape, first.layout};
    job->copies.push_back(std::make_unique<Memory>(buffer.memory.bytes()));
    place = job->copies.back()->data();
  }
  job->conversions.push_back({buffer.memory.data(),
                              place,
                              buffer.memory.bytes(),
                              itemsize(buffer.dtype),
                              from,
                              {type.shape, type.layout}});
  return place;
}

Buffer* Executable::bound_buffer(size_t k, uint32_t id) {
  Buffer* buffer = instance_->buffer(id);
  if (buffer == nullptr) {
    throw std::invalid_argument("[run] binding " + std::to_string(k) +
                                " is a buffer that was disposed");
  }
  const TensorType& type = program_->bound_type(k);
  if (buffer->dtype != type.dtype || buffer->numel != type.numel()) {
    throw std::invalid_argument("[run] binding " + std::to_string(k) + " takes " +
                                torchts::describe(type) + ", but the buffer has " +
                                std::to_string(buffer->numel) + " elements of " +
                                name(buffer->dtype));
  }
  return buffer;
}

void Executable::mark_used(Ticket ticket) {
  for (size_t k = 0; k < buffers_.size(); k++) {
    Buffer& buffer = *buffers_[k];
    buffer.last_use = ticket;
    const bool moves = !buffer.now.is(*buffer.next);
    if (moves) buffer.now = {buffer.next->shape, buffer.next->layout};
    if (moves || writes(k)) buffer.last_write = ticket;
  }
  last_run_ = ticket;
}

void Executable::require_live() const {
  if (program_ == nullptr) throw std::invalid_argument("[run] the executable was disposed");
}

Napi::Value Executable::plan(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    require_live();
    return Napi::String::New(info.Env(), program_->describe());
  });
}

Napi::Value Executable::dispose(const Napi::CallbackInfo& info) {
  release(info.Env());
  return info.Env().Undefined();
}

void Executable::release(Napi::BasicEnv env) {
  if (program_ == nullptr) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, -static_cast<int64_t>(program_->arena_bytes()));
  instance_->free_after(last_run_, std::move(program_));
}

}  // namespace torchts
