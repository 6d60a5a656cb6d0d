// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/module.hpp>

#include <algorithm>
#include <utility>

#include <qconn/base/log.hpp>

#include "base/text.hpp"
#include "core/module_error.hpp"
#include "core/module_file.hpp"
#include "core/module_library.hpp"

namespace qconn {

namespace {

constexpr int k_version = 1;
/// Entry points up to this number are looked for, to tell a module of another version from a library that is none.
constexpr int k_last_version = 99;

std::shared_ptr<const ModuleInfo> loaded_already(const Catalogue& catalogue, const std::string& path) {
    for (const Scheme* scheme : catalogue.schemes())
        if (scheme->module && scheme->module->path == path) return scheme->module;
    return nullptr;
}

void check_library(const core::ModuleLibrary& library, const std::string& module, const std::string& path) {
    if (const auto other = library.other_qconn()) {
        const auto& own = core::own_library();
        throw core::module_error(ModuleErrc::other_library, module,
                                 text::printable(path) + " uses " + *other + ", and this program the one in " + text::printable(own.file) + "; " +
                                     (own.in_program ? "link the program with that shared library" : "link the module with this shared library"));
    }
    if (library.entry(k_version)) return;
    const auto wanted = "qconn_module_" + std::to_string(k_version);
    for (int version = 0; version <= k_last_version; ++version) {
        if (library.entry(version))
            throw core::module_error(ModuleErrc::other_version, module,
                                     text::printable(path) + " was made for another version of qconn: it has qconn_module_" +
                                         std::to_string(version) + ", and " + wanted + " is asked for; build it for this version");
    }
    throw core::module_error(
        ModuleErrc::no_entry, module,
        text::printable(path) + " has no function " + wanted + "; declare it as <qconn/core/module.hpp> does: extern \"C\", visible");
}

/// Calls the entry point; what it throws becomes an Error of ours, as its own type may be known to the module alone.
void enter(core::ModuleLibrary::Entry entry, ModuleHost& host, const std::string& module) {
    const auto failed = [&](const std::string& words) {
        return core::module_error(ModuleErrc::entry_failed, module, "its entry point threw: " + words + "; see the module's own documentation");
    };
    try {
        entry(host);
    } catch (const std::exception& error) { throw failed(error.what()); } catch (...) {
        throw failed("something that is no std::exception");
    }
}

std::vector<std::string> names_in(const Value& list) {
    std::vector<std::string> names;
    if (list.is_null()) return names;
    if (list.is_list()) {
        for (const Value& name : list.as_list()) names.emplace_back(name.as_string());
        return names;
    }
    for (const auto part : text::split(list.as_string(), ','))
        for (const auto name : text::split(part, ':'))
            if (const auto trimmed = text::trim(name); !trimmed.empty()) names.emplace_back(trimmed);
    return names;
}

}  // namespace

ModuleHost::ModuleHost(ModuleInfo info) : info_{std::move(info)} {}
ModuleHost::~ModuleHost() = default;

void ModuleHost::describe(std::string name, std::string version, std::string description) {
    info_.name = std::move(name);
    info_.version = std::move(version);
    info_.description = std::move(description);
}

void ModuleHost::add(Scheme scheme) { schemes_.push_back(std::move(scheme)); }

std::shared_ptr<const ModuleInfo> load_module(Catalogue& catalogue, const std::string& module) {
    const std::string path = core::module_file(module);
    if (auto info = loaded_already(catalogue, path)) return info;
    const core::ModuleLibrary library{module, path};
    check_library(library, module, path);
    ModuleHost host{ModuleInfo{core::module_name(path), {}, {}, path}};
    enter(library.entry(k_version), host, module);

    if (host.schemes().empty())
        throw core::module_error(ModuleErrc::empty, module, text::printable(path) + " adds no scheme; see the module's own documentation");
    const auto info = std::make_shared<const ModuleInfo>(host.info());
    Catalogue extended = catalogue;
    for (Scheme scheme : host.schemes()) {
        scheme.module = info;
        try {
            extended.add(std::move(scheme));
        } catch (const Error& error) {
            throw core::module_error(ModuleErrc::scheme, module,
                                     std::string{error.message()} + "; nothing of " + text::printable(path) + " is added");
        }
    }
    catalogue = std::move(extended);
    return info;
}

ModulesReport load_modules(Catalogue& catalogue, const Value& connection_modules) {
    ModulesReport report;
    for (const auto& name : names_in(connection_modules)) {
        try {
            auto info = load_module(catalogue, name);
            if (std::find(report.loaded.begin(), report.loaded.end(), info) == report.loaded.end()) report.loaded.push_back(std::move(info));
        } catch (const Error& error) {
            Log{}.write({LogLevel::warning, {}, "module-failed", error.what(), {}});
            report.failed.push_back(error);
        }
    }
    return report;
}

}  // namespace qconn
