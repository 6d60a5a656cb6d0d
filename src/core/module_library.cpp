// SPDX-License-Identifier: Apache-2.0
#include "core/module_library.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/text.hpp"
#include "core/module_error.hpp"

/// Marks a copy of the library: each has this symbol at an address of its own.
extern "C" QCONN_API const char* qconn_library_version() noexcept { return QCONN_VERSION; }

namespace qconn::core {

namespace {

constexpr const char* k_mark = "qconn_library_version";
using Mark = const char* (*)() noexcept;

/// The loaded object that holds an address.
const link_map* object_of(const void* address, std::string* file = nullptr) {
    Dl_info info{};
    link_map* map = nullptr;
    if (!::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP)) return nullptr;
    if (file && info.dli_fname) *file = info.dli_fname;
    return map;
}

const void* own_mark() { return reinterpret_cast<const void*>(&qconn_library_version); }

/// What a missing symbol is called in C++; empty where it is no C++ name.
std::string demangled(const std::string& symbol) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text{abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free};
    return status == 0 && text ? std::string{text.get()} : std::string{};
}

std::string advice_on_symbol(std::string_view symbol) {
    const std::string name = demangled(std::string{symbol.substr(0, symbol.find_first_of(", "))});
    std::string advice = name.empty() ? "" : "(that is " + name + ") ";
    if (name.find("qconn::") == std::string::npos) return advice + "link the module with the library that has it";
    if (own_library().in_program)
        return advice +
               "this program holds qconn as a static library and does not export this: link it with the shared one; or, where it exports all, "
               "build the module again with the headers of this qconn";
    return advice + "build the module again with the headers of this qconn";
}

/// What to do about what the dynamic loader says. A file of another machine it calls missing, so that is told from a file that is not there.
std::string advice(const std::string& path, std::string_view words) {
    constexpr std::string_view k_undefined = "undefined symbol: ";
    if (const auto at = words.find(k_undefined); at != std::string_view::npos) return advice_on_symbol(words.substr(at + k_undefined.size()));
    std::error_code ignored;
    const bool exists = std::filesystem::exists(path, ignored);
    if (!exists) return "check the path";
    if (words.find("No such file") != std::string_view::npos) {
        if (words.substr(0, path.size()) != path) return "install the library that the module needs; 'ldd' on the module lists them";
        return "the file is there: it is built for another kind of machine; build it for this one";
    }
    if (words.find("ELF class") != std::string_view::npos) return "it is built for another kind of machine; build it for this one";
    if (words.find("ELF header") != std::string_view::npos || words.find("too short") != std::string_view::npos)
        return "it is no shared library; build it again";
    return "'ldd' and 'file' on the module tell more";
}

}  // namespace

const OwnLibrary& own_library() {
    static const OwnLibrary own = [] {
        OwnLibrary found;
        const link_map* map = object_of(own_mark(), &found.file);
        found.in_program = map == nullptr || map->l_name == nullptr || *map->l_name == '\0';
        std::error_code failed;
        const auto file = std::filesystem::canonical(found.in_program ? "/proc/self/exe" : found.file, failed);
        if (!failed) found.file = file.string();
        return found;
    }();
    return own;
}

ModuleLibrary::ModuleLibrary(const std::string& module, const std::string& path)
    : handle_{::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)} {
    if (handle_) return;
    const char* words = ::dlerror();
    const std::string said = words ? words : "the dynamic loader gave no reason";
    throw module_error(ModuleErrc::load, module, text::printable(said) + "; " + advice(path, said));
}

ModuleLibrary::Entry ModuleLibrary::entry(int version) const {
    void* symbol = ::dlsym(handle_, ("qconn_module_" + std::to_string(version)).c_str());
    // A module that it is linked with has an entry point too.
    link_map* own = nullptr;
    if (!symbol || ::dlinfo(handle_, RTLD_DI_LINKMAP, &own) != 0 || object_of(symbol) != own) return nullptr;
    return reinterpret_cast<Entry>(symbol);
}

std::optional<std::string> ModuleLibrary::other_qconn() const {
    void* mark = ::dlsym(handle_, k_mark);
    if (!mark || mark == own_mark()) return std::nullopt;
    std::string file;
    object_of(mark, &file);
    return std::string{"qconn "} + reinterpret_cast<Mark>(mark)() + " in " + text::printable(file);
}

}  // namespace qconn::core
