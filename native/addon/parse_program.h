// From the JavaScript object of src/engine/program.ts to the native Program.
#pragma once

#include <napi.h>

#include "program.h"

namespace torchts {

// Throws std::invalid_argument that names the first part that is missing or of the wrong type.
// What the parts mean together is check_program's to judge.
Program parse_program(const Napi::Value& program);

// The strings of a JavaScript array; throws as parse_program does.
std::vector<std::string> parse_strings(const Napi::Value& list, const std::string& where);

}  // namespace torchts
