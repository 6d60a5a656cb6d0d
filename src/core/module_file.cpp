// SPDX-License-Identifier: Apache-2.0
#include "core/module_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <qconn/core/diagnostic.hpp>

#include "base/text.hpp"
#include "core/module_error.hpp"
#include "core/module_library.hpp"

namespace fs = std::filesystem;

namespace qconn {

namespace {

constexpr const char* k_suffix = ".so";

/// Directories in QCONN_MODULE_PATH. Not for programs with raised privileges, whose environment is somebody else's.
std::vector<std::string> environment_path() {
    std::vector<std::string> directories;
    const char* value = ::secure_getenv("QCONN_MODULE_PATH");
    if (!value) return directories;
    for (const auto part : text::split(value, ':'))
        if (!part.empty()) directories.emplace_back(part);
    return directories;
}

std::vector<std::string> modules_in(const std::vector<std::string>& directories) {
    std::vector<std::string> names;
    for (const auto& directory : directories) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator{directory, ignored})
            if (entry.path().extension() == k_suffix) names.push_back(entry.path().stem().string());
    }
    return names;
}

[[noreturn]] void not_found(const std::string& name) {
    const auto directories = module_search_path();
    std::string what = "there is no file " + text::printable(name + k_suffix);
    what += directories.empty() ? " as there is no directory to look in" : " in " + text::printable(text::join(directories, ", "));
    for (const auto& directory : environment_path())
        if (directory.front() != '/') what += "; '" + text::printable(directory) + "' in QCONN_MODULE_PATH is left out, as it is not absolute";
    if (const auto near = nearest(name, modules_in(directories)); !near.empty()) what += "; did you mean '" + text::printable(near) + "'?";
    throw core::module_error(ModuleErrc::not_found, name,
                             what + "; set QCONN_MODULE_PATH to the directories of modules, or give a path, which has a slash");
}

std::string real_path(const fs::path& path) {
    std::error_code failed;
    if (auto resolved = fs::canonical(path, failed); !failed) return resolved.string();
    const auto whole = fs::absolute(path, failed);
    return (failed ? path : whole.lexically_normal()).string();
}

}  // namespace

std::vector<std::string> module_search_path() {
    std::vector<std::string> directories;
    for (auto& directory : environment_path())
        if (directory.front() == '/') directories.push_back(std::move(directory));
    if (const auto& own = core::own_library(); !own.in_program) directories.push_back((fs::path{own.file}.parent_path() / "qconn/modules").string());
    return directories;
}

namespace core {

std::string module_file(const std::string& module) {
    if (module.find('/') != std::string::npos) return real_path(module);
    for (const auto& directory : module_search_path()) {
        const auto path = fs::path{directory} / (module + k_suffix);
        std::error_code ignored;
        if (!module.empty() && fs::exists(path, ignored)) return real_path(path);
    }
    not_found(module);
}

std::string module_name(const std::string& path) { return fs::path{path}.stem().string(); }

}  // namespace core

}  // namespace qconn
