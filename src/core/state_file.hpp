// SPDX-License-Identifier: Apache-2.0
/// The file that keeps operator settings over restarts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/base/value.hpp>

#include "core/kept_settings.hpp"
#include "core/known_files.hpp"

namespace qconn::core {

/// JSON: `{"version": 1, "connections": {"shop-api": {"enabled": false}}}`, with what else stands in it. Each change reads the file, changes in one
/// connection what this program has set otherwise, and replaces it as a whole, under a lock of its directory: so programs may share one. What goes
/// wrong is logged; nothing throws.
/// @note One thread at a time.
class StateFile {
public:
    StateFile(std::string path, Log log) : path_{std::move(path)}, log_{std::move(log)} {}

    const std::string& path() const noexcept { return path_; }

    /// All that is in it. A file that cannot be understood is renamed to end in `.bad`.
    std::vector<std::pair<std::string, KeptSettings::Settings>> load();

    /// What the file says of a connection, before and after another program was at it.
    struct Change {
        std::string name;
        KeptSettings::Settings was;
        KeptSettings::Settings is;
    };
    using Changes = std::vector<Change>;
    /// Both return what others have changed since it was asked for before.
    Changes put(std::string_view name, const KeptSettings::Settings& settings);
    Changes erase(std::string_view name);
    /// The same alone. Reads the file only where it is not what it was. One that is gone or cannot be used changes nothing, and stays as it is.
    Changes changed_by_others();

private:
    struct Content {
        enum class Kind : std::uint8_t {
            good,
            absent,
            broken,  ///< nobody can understand it
            closed,  ///< it may be understood by others: of a later version, or it cannot be read
        };
        Kind kind{Kind::absent};
        Map document{};
        FileStamp stamp{};
        std::string problem{};
    };
    Content read() const;
    /// As read; what is broken is put aside. @returns whether the file may be replaced by the document
    bool read_to_replace(Map& document);
    template <class Edit>
    Changes change(Edit&& edit);
    void tell(LogLevel level, std::string_view event, const std::string& text) const;

    const std::string path_;
    const Log log_;
    /// As it was read or written last: what all that is known to this program was taken from.
    Map document_;
    FileStamp stamp_;  // of that, or of one that cannot be used
};

}  // namespace qconn::core
