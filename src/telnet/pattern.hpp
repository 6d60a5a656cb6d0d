// SPDX-License-Identifier: Apache-2.0
/// Regular expressions that are looked for in text that is still coming, within limits of time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/telnet/telnet_client.hpp>

namespace qconn::telnet {

/// Where a pattern was found. Offsets into the text.
struct Found {
    std::size_t begin{0};
    std::size_t end{0};
};

/// Immutable; used by many threads.
class Pattern {
public:
    /// @param problem  takes what is wrong with it
    static std::optional<Pattern> compile(const TelnetPattern& pattern, std::string& problem);

    enum class Outcome : std::uint8_t {
        found,
        partial,  ///< it may begin at `from` and end in what is to come
        none,     ///< nothing before the end of the text is the beginning of it
        limit,    ///< it takes too long
    };
    struct Search {
        Outcome outcome{Outcome::none};
        Found found{};
        std::size_t from{0};  ///< where the next search begins, when more has come
        /// Groups and names of what was found, where they were asked for.
        std::optional<TelnetMatch> match{};
    };
    /// @param from     what lies before it was searched already; a look-behind sees it
    /// @param give_up  looked at from time to time
    Search search(std::string_view text, std::size_t from, Deadline give_up, bool with_groups = false) const;

private:
    Pattern() = default;
    std::shared_ptr<const void> code_;
};

}  // namespace qconn::telnet
