#include "exercise.h"

#include <cstring>

namespace torchts::testing {
namespace {

void fill_input(const TensorType& type, void* data) {
  int64_t count = type.numel();
  for (int64_t i = 0; i < count; i++) {
    double number = 0.25 * static_cast<double>((i * 7 + 3) % 17 - 8);
    int64_t integer = i % 5;
    switch (type.dtype) {
      case DType::float32:
        static_cast<float*>(data)[i] = static_cast<float>(number);
        break;
      case DType::float64:
        static_cast<double*>(data)[i] = number;
        break;
      case DType::bfloat16:
        static_cast<bfloat16*>(data)[i] = to_bfloat16(static_cast<float>(number));
        break;
      case DType::float16:
        static_cast<float16*>(data)[i] = to_float16(static_cast<float>(number));
        break;
      case DType::int64:
        static_cast<int64_t*>(data)[i] = integer;
        break;
      case DType::int32:
        static_cast<int32_t*>(data)[i] = static_cast<int32_t>(integer);
        break;
      case DType::uint8:
        static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(integer);
        break;
      case DType::boolean:
        static_cast<uint8_t*>(data)[i] = integer % 2;
        break;
    }
  }
}

}  // namespace

const Providers& loaded_providers() {
  static const Providers providers = [] {
    const char* isa = std::getenv("TORCHTS_ISA");
    bool runs = isa == nullptr;
    for (const std::string& supported : supported_isas()) runs = runs || supported == isa;
    if (!runs) throw Skip{std::string("this CPU cannot run ") + isa};
    return load_providers(arguments().empty() ? "." : arguments()[0]);
  }();
  return providers;
}

Program one_call(const std::string& kernel, const Types& inputs, const Types& outputs,
                 const Attrs& attrs) {
  Program program;
  Instruction instruction;
  instruction.kernel = kernel;
  instruction.attrs = attrs;
  for (const TensorType& type : inputs) {
    int value = static_cast<int>(program.values.size());
    program.values.push_back(type);
    program.bindings.push_back({Access::read, value});
    instruction.inputs.push_back(value);
  }
  for (const TensorType& type : outputs) {
    int value = static_cast<int>(program.values.size());
    program.values.push_back(type);
    program.bindings.push_back({Access::write, value});
    instruction.outputs.push_back(value);
  }
  instruction.label = "test";
  program.instructions.push_back(instruction);
  check_program(program);
  return program;
}

void run_twice(const Program& program, const LoadOptions& options) {
  LoadedProgram loaded(program, loaded_providers().registry, options);
  std::vector<ExactBuffer> buffers;
  std::vector<void*> pointers;
  for (const Binding& binding : program.bindings) {
    const TensorType& type = program.values[binding.value];
    buffers.emplace_back(type.bytes());
    if (binding.access == Access::read) fill_input(type, buffers.back().data());
    pointers.push_back(buffers.back().data());
  }
  const size_t inputs = program.instructions[0].inputs.size();
  std::vector<std::string> first;
  for (int rubbish : {0xff, 0x55}) {
    std::vector<std::string> contents;
    for (size_t k = inputs; k < buffers.size(); k++) buffers[k].fill(rubbish);
    loaded.run(pointers.data(), nullptr);
    for (size_t k = inputs; k < buffers.size(); k++) {
      contents.emplace_back(static_cast<char*>(buffers[k].data()), buffers[k].bytes());
    }
    if (first.empty()) {
      first = contents;
    } else {
      CHECK(contents == first, describe_failure(program, program.instructions[0], "runs differ"));
    }
  }
}

void exercise(const std::string& kernel, const Types& inputs, const Types& outputs,
              const Attrs& attrs) {
  Program program = one_call(kernel, inputs, outputs, attrs);
  for (int threads : {1, 3}) run_twice(program, {threads, true});
}

Attrs attrs(std::vector<std::pair<std::string, Attrs::Value>> fields) {
  Attrs out;
  for (auto& [key, value] : fields) out.set(key, std::move(value));
  return out;
}

}  // namespace torchts::testing
