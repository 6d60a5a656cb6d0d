// SPDX-License-Identifier: Apache-2.0
#include "core/module_error.hpp"

#include "base/text.hpp"

namespace qconn {

namespace {

class ModuleCategory : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.module"; }
    std::string message(int code) const override {
        switch (static_cast<ModuleErrc>(code)) {
            case ModuleErrc::not_found: return "no such module";
            case ModuleErrc::load: return "the dynamic loader refused it";
            case ModuleErrc::other_version: return "made for another version of qconn";
            case ModuleErrc::other_library: return "uses another copy of qconn";
            case ModuleErrc::no_entry: return "has no entry point";
            case ModuleErrc::entry_failed: return "its entry point failed";
            case ModuleErrc::empty: return "adds no scheme";
            case ModuleErrc::scheme: return "a scheme of it cannot be added";
        }
        return "unknown";
    }
};

}  // namespace

const std::error_category& module_category() noexcept {
    static const ModuleCategory category;
    return category;
}

std::error_code make_error_code(ModuleErrc code) noexcept { return {static_cast<int>(code), module_category()}; }

namespace core {

Error module_error(ModuleErrc code, const std::string& module, const std::string& what) {
    return Error{code, "MODULE-ERROR", "loading the module '" + text::printable(module) + "' failed: " + what}.with_reason(
        code == ModuleErrc::not_found ? Reason::not_found : Reason::unsupported);
}

}  // namespace core

}  // namespace qconn
