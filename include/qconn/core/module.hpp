// SPDX-License-Identifier: Apache-2.0
/// Modules: shared libraries that add schemes at run time. docs/modules.md shows how to write one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/scheme.hpp>

namespace qconn {

/// Why a module was not taken. The name of all of them is MODULE-ERROR; the message has the dynamic loader's or the module's own words.
enum class ModuleErrc {
    not_found = 1,  ///< no module of that name in the search path
    load,           ///< the dynamic loader refused it: missing file, other architecture, unresolved symbols
    other_version,  ///< its entry point has another number: made for another version of qconn
    other_library,  ///< it carries, or is linked to, another copy of qconn than this program
    no_entry,       ///< it has no entry point: no module of qconn's
    entry_failed,   ///< its entry point threw
    empty,          ///< it adds no scheme
    scheme,         ///< one of its schemes is known already, or its table contradicts itself
};
QCONN_API const std::error_category& module_category() noexcept;
QCONN_API std::error_code make_error_code(ModuleErrc code) noexcept;

/// Who a module is. A value type; schemes of a module share one (Scheme::module).
struct ModuleInfo {
    /// As it calls itself; until it does, the name of its file without the suffix.
    std::string name;
    std::string version;
    /// One sentence for people.
    std::string description;
    /// Absolute, symbolic links resolved.
    std::string path;
};

/// Named after the library's SONAME, within which the types that modules use keep their layout: the dynamic loader refuses a module whose headers
/// were of another one, also where it finds the library in the program.
inline namespace abi_0_1 {

/// What a module may do when it is loaded: say who it is, and add schemes. Lives for the call of the entry point.
/// A module's own tests may make one to see what it adds.
/// @note One thread at a time.
class QCONN_API ModuleHost {
public:
    explicit ModuleHost(ModuleInfo info);
    ModuleHost(const ModuleHost&) = delete;
    ModuleHost& operator=(const ModuleHost&) = delete;
    ~ModuleHost();

    void describe(std::string name, std::string version, std::string description);
    /// Taken after the entry point has returned, all of the module's schemes or none.
    void add(Scheme scheme);

    const ModuleInfo& info() const noexcept { return info_; }
    const std::vector<Scheme>& schemes() const noexcept { return schemes_; }

private:
    ModuleInfo info_;
    std::vector<Scheme> schemes_;
};

}  // namespace abi_0_1

/// Loads a module and adds its schemes to the catalogue; where that fails the catalogue is as it was. A module that the catalogue has already is left
/// alone. A module stays in the process for ever, also one that was refused after its code had run: clients, pings and errors of it may live
/// anywhere. A module's code has every right that the program has.
/// @param module  with a slash: a path. Without: a name, looked for as NAME.so in the directories of module_search_path(), nowhere else
/// @throws Error MODULE-ERROR, see ModuleErrc
/// @note As Catalogue::add: one thread at a time for one catalogue. Registries have a copy of their own and may be used meanwhile.
QCONN_API std::shared_ptr<const ModuleInfo> load_module(Catalogue& catalogue, const std::string& module);

/// What came of loading several.
struct ModulesReport {
    std::vector<std::shared_ptr<const ModuleInfo>> loaded;
    std::vector<Error> failed;
};

/// Loads what an option `connection-modules` lists, in its order. One that fails is logged as a warning (event "module-failed") and skipped.
/// @param connection_modules  a list of names and paths, or a text with commas or colons between them; null or empty: none
/// @throws Error VALUE-TYPE-ERROR where it is neither
QCONN_API ModulesReport load_modules(Catalogue& catalogue, const Value& connection_modules);

/// Where modules are looked for by name: the absolute directories in the environment variable QCONN_MODULE_PATH (colons between them; ignored in
/// programs with raised privileges), then `qconn/modules` beside the shared library qconn. Relative ones are left out: nothing is loaded from the
/// current directory.
QCONN_API std::vector<std::string> module_search_path();

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::ModuleErrc> : std::true_type {};

/// The entry point, which a module defines. The number goes up when what is handed over changes in a way that older modules cannot know.
/// What it throws is reported and the module refused.
extern "C" QCONN_API void qconn_module_1(qconn::ModuleHost& host);
