// SPDX-License-Identifier: Apache-2.0
/// Questions to the person at the terminal, and secrets from standard input.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/secret.hpp>

namespace qconn::cli {

class Signals;

/// How long a person is waited for.
struct Patience {
    Deadline until{};
    /// Those that end the waiting, where they are blocked; null: none are.
    Signals* signals{nullptr};
};

/// @throws Error CANCELLED: a person has broken it off
[[noreturn]] void break_off();

/// Whether somebody can be asked.
bool at_terminal() noexcept;

/// A secret: at a terminal asked for and typed unseen, otherwise a line of standard input.
/// @param what  "the password of shop-api"
/// @throws UsageError where nothing comes, or it is broken off; Error TIMEOUT, CANCELLED where patience ends
Secret read_secret(std::string_view what, const Patience& patience = {});

/// At a terminal only: true for `y` and `yes`.
bool confirm(std::string_view question);

}  // namespace qconn::cli
