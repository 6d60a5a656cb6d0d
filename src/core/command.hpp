// SPDX-License-Identifier: Apache-2.0
/// Running a command for what it prints.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/secret.hpp>

namespace qconn::core {

/// The words of a command line: apart by blanks; '…' is taken as it stands; in "…" and outside quotes \ takes the next character as it is. Nothing
/// else has a meaning: no variables, patterns, pipes.
/// @returns nothing where a quote is not closed, a \ stands last or a NUL is in it
std::optional<std::vector<std::string>> split_words(std::string_view line);

struct CommandLimits {
    Deadline deadline{};
    std::size_t max_output{1024 * 1024};
    /// Asked every few tens of milliseconds; may be empty.
    std::function<bool()> cancelled{};
};

/// How a command ended.
struct CommandOutcome {
    enum class End {
        exited,
        killed,     ///< by a signal of somebody else's
        late,       ///< it and its processes were killed at the deadline
        cancelled,  ///< likewise
        too_large,  ///< likewise, as it printed more than was allowed
        no_start,
        lost,  ///< somebody else in this process took its status
    };
    End end{End::no_start};
    /// Exit status, signal, or the system's error number.
    int code{0};
    /// What it printed; empty unless it exited.
    Secret output;
    /// The end of what it wrote to standard error.
    std::string errors;
};

/// Runs a program, found along PATH, without a shell: in a session of its own without a terminal, with the environment and working directory of this
/// process, default signals, standard input empty and no other descriptor of this process. It ends when the program itself has ended; whatever is
/// left of its processes is killed then, but for those that have gone to other sessions or groups.
/// @note Thread-safe. Leaves no zombie, sets no signal handler, waits for no other child of the process.
CommandOutcome run_command(const std::vector<std::string>& words, const CommandLimits& limits);

}  // namespace qconn::core
