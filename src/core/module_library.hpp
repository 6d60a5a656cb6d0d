// SPDX-License-Identifier: Apache-2.0
/// Modules as the dynamic loader sees them.
#pragma once

#include <optional>
#include <string>

#include <qconn/core/module.hpp>

namespace qconn::core {

/// The copy of qconn that this code belongs to.
struct OwnLibrary {
    /// The shared library, or the program where it is linked in statically.
    std::string file;
    bool in_program{false};
};
const OwnLibrary& own_library();

/// A shared library, loaded for ever: its symbols stay its own (RTLD_LOCAL), all of them are resolved (RTLD_NOW), and it is never unloaded
/// (RTLD_NODELETE), as nobody knows when the last client, ping, error or type of it has gone.
class ModuleLibrary {
public:
    using Entry = void (*)(ModuleHost&);

    /// @param module  as asked for, for messages
    /// @throws Error MODULE-ERROR (load) with the loader's words and what to do
    ModuleLibrary(const std::string& module, const std::string& path);

    /// Its entry point of that number; null where it has none.
    Entry entry(int version) const;
    /// Where it is not this one: the copy of qconn that it uses, as "qconn 0.1.0 in /usr/lib/libqconn.so.0.1".
    std::optional<std::string> other_qconn() const;

private:
    void* handle_;
};

}  // namespace qconn::core
