// SPDX-License-Identifier: Apache-2.0
/// The file that keeps operator settings over restarts.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/base/value.hpp>

#include "core/kept_settings.hpp"

namespace qconn::core {

/// JSON: `{"version": 1, "connections": {"shop-api": {"enabled": false}}}`, with what else stands in it. Each change reads the file, changes one
/// connection in it and replaces it as a whole, under a lock of its directory: so programs may share one. What goes wrong is logged; nothing throws.
/// @note One thread at a time.
class StateFile {
public:
    StateFile(std::string path, Log log) : path_{std::move(path)}, log_{std::move(log)} {}

    /// All that is in it. A file that cannot be understood is renamed to end in `.bad`.
    std::vector<std::pair<std::string, KeptSettings::Settings>> load();
    void put(std::string_view name, const KeptSettings::Settings& settings);
    void erase(std::string_view name);

private:
    /// @returns whether it may be replaced
    bool read();
    template <class Change>
    void change(Change&& change);
    void tell(LogLevel level, std::string_view event, const std::string& text) const;

    const std::string path_;
    const Log log_;
    /// As it was read or written last.
    Map document_;
};

}  // namespace qconn::core
