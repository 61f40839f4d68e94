#include "parse_program.h"

#include "host_array.h"
#include "numbers.h"

namespace torchts {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& expected) {
  throw std::invalid_argument("[program] " + where + ": expected " + expected);
}

Napi::Object object(const Napi::Value& value, const std::string& where) {
  if (!value.IsObject()) fail(where, "an object");
  return value.As<Napi::Object>();
}

std::string text(const Napi::Value& value, const std::string& where) {
  if (!value.IsString()) fail(where, "a string");
  return value.As<Napi::String>();
}

double number(const Napi::Value& value, const std::string& where) {
  if (!value.IsNumber()) fail(where, "a number");
  return value.As<Napi::Number>();
}

int64_t integer(const Napi::Value& value, const std::string& where, double most) {
  const std::optional<int64_t> found = integer_of(value, -most, most);
  if (!found) fail(where, "an integer in range");
  return *found;
}

int index(const Napi::Value& value, const std::string& where) {
  return static_cast<int>(integer(value, where, 2147483647));
}

// Calls item(element, where) for each element of the array.
template <class Item>
void each(const Napi::Value& value, const std::string& where, const Item& item) {
  if (!value.IsArray()) fail(where, "an array");
  Napi::Array array = value.As<Napi::Array>();
  uint32_t length = array.Length();
  for (uint32_t i = 0; i < length; i++) {
    Napi::HandleScope scope(value.Env());
    item(array.Get(i), where);
  }
}

std::vector<int> indices(const Napi::Value& value, const std::string& where) {
  std::vector<int> list;
  each(value, where,
       [&](Napi::Value item, const std::string& at) { list.push_back(index(item, at)); });
  return list;
}

TensorType tensor_type(const Napi::Value& value, const std::string& where) {
  Napi::Object type = object(value, where);
  TensorType parsed{dtype_named(text(type.Get("dtype"), where + ".dtype")), {}};
  each(type.Get("shape"), where + ".shape", [&](Napi::Value size, const std::string& at) {
    parsed.shape.push_back(integer(size, at, 9007199254740991.0));
  });
  return parsed;
}

Attrs::Value attr_list(const Napi::Array& array, const std::string& where) {
  if (array.Length() > 0 && array.Get(uint32_t{0}).IsString()) return parse_strings(array, where);
  Attrs::Numbers numbers;
  each(array, where,
       [&](Napi::Value item, const std::string& at) { numbers.push_back(number(item, at)); });
  return numbers;
}

Attrs::Value attr(const Napi::Value& value, const std::string& where) {
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsArray()) return attr_list(value.As<Napi::Array>(), where);
  fail(where, "a number, a boolean, a string or a list of numbers or strings");
}

Attrs attrs(const Napi::Value& value, const std::string& where) {
  Napi::Object fields = object(value, where);
  Attrs parsed;
  each(fields.GetPropertyNames(), where, [&](Napi::Value key, const std::string& at) {
    std::string name = text(key, at);
    parsed.set(name, attr(fields.Get(key), at + "." + name));
  });
  return parsed;
}

Instruction instruction(const Napi::Value& value, const std::string& where) {
  Napi::Object fields = object(value, where);
  Instruction parsed;
  parsed.kernel = text(fields.Get("kernel"), where + ".kernel");
  parsed.inputs = indices(fields.Get("inputs"), where + ".inputs");
  parsed.outputs = indices(fields.Get("outputs"), where + ".outputs");
  parsed.attrs = attrs(fields.Get("attrs"), where + ".attrs");
  parsed.label = text(fields.Get("label"), where + ".label");
  return parsed;
}

Binding binding(const Napi::Value& value, const std::string& where) {
  Napi::Object fields = object(value, where);
  std::string access = text(fields.Get("access"), where + ".access");
  Binding parsed{Access::read, index(fields.Get("value"), where + ".value")};
  if (access == "write") {
    parsed.access = Access::write;
  } else if (access == "update") {
    parsed.access = Access::update;
    parsed.result = index(fields.Get("result"), where + ".result");
  } else if (access != "read") {
    fail(where + ".access", "\"read\", \"write\" or \"update\"");
  }
  return parsed;
}

std::string place(const char* list, size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

}  // namespace

std::vector<std::string> parse_strings(const Napi::Value& list, const std::string& where) {
  std::vector<std::string> strings;
  each(list, where,
       [&](Napi::Value item, const std::string& at) { strings.push_back(text(item, at)); });
  return strings;
}

Program parse_program(const Napi::Value& value) {
  Napi::Object fields = object(value, "the program");
  Program parsed;
  each(fields.Get("values"), "values", [&](Napi::Value item, const std::string&) {
    parsed.values.push_back(tensor_type(item, place("values", parsed.values.size())));
  });
  each(fields.Get("instructions"), "instructions", [&](Napi::Value item, const std::string&) {
    size_t i = parsed.instructions.size();
    parsed.instructions.push_back(instruction(item, place("instructions", i)));
    parsed.instructions.back().source = static_cast<int>(i);
  });
  each(fields.Get("bindings"), "bindings", [&](Napi::Value item, const std::string&) {
    parsed.bindings.push_back(binding(item, place("bindings", parsed.bindings.size())));
  });
  parsed.scalars = indices(fields.Get("scalars"), "scalars");
  return parsed;
}

}  // namespace torchts
